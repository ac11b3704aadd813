import type { Static, TObject } from "@sinclair/typebox";

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;
type Columns<Field extends string> = { [Name in Field as Camel<Name>]: unknown };

const toCamel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/**
 * Converts a row to its contract type: `created_at` is the column `createdAt`, and times become text. `own` contains
 * the fields that aren't columns. JSON columns contain values that this version or an older one wrote according to the
 * contract.
 */
export const fromRow = <T extends TObject, Own extends Partial<Static<T>> = Record<never, never>>(
  contract: T,
  row: Columns<Exclude<keyof Static<T> & string, keyof Own>>,
  own?: Own,
): Static<T> => {
  const columns: Record<string, unknown> = row;
  const fields = Object.keys(contract.properties).map((name) => {
    const value = columns[toCamel(name)];
    return [name, value instanceof Date ? value.toISOString() : value];
  });
  return { ...Object.fromEntries(fields), ...own };
};

type RowOf<Value> = {
  [Name in keyof Value & string as Camel<Name>]: Name extends `${string}_at`
    ? Date | Extract<Value[Name], null>
    : Value[Name];
};

/** The reverse: converts a contract's fields to columns, with the times in `…_at` as dates. */
export const toRow = <T extends TObject>(contract: T, value: Static<T>): RowOf<Static<T>> => {
  const given: Record<string, unknown> = value;
  const columns = Object.keys(contract.properties).map((name) => {
    const field = given[name];
    return [toCamel(name), name.endsWith("_at") && typeof field === "string" ? new Date(field) : field];
  });
  return Object.fromEntries(columns);
};

/** A time in OpenAI's format: whole seconds since 1970. */
export const toUnixSeconds = (at: Date): number => Math.floor(at.getTime() / 1000);
