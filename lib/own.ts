/**
 * What stands under a name that somebody else chose; undefined for the names that every object inherits, such as
 * `constructor`.
 */
export const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
