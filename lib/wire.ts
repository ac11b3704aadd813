type Snake<S extends string> = S extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${Snake<Rest>}`
  : S;

/** A row or record as it appears on the wire: snake_case names, times in ISO 8601. */
export type Wire<T> = {
  [K in keyof T & string as Snake<K>]: T[K] extends Date ? string : T[K] extends Date | null ? string | null : T[K];
};

export const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export const toWire = <T extends object>(record: T): Wire<T> =>
  Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      snakeCase(name),
      value instanceof Date ? value.toISOString() : value,
    ]),
  ) as Wire<T>;
