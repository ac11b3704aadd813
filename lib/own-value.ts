/**
 * The value of an own property; undefined for inherited names such as `constructor`. Use it for names that come from a
 * file or a request.
 */
export const ownValue = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
