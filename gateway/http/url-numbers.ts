import { KindGuard, type TSchema } from "@sinclair/typebox";
import type { RouteList } from "./allowed-methods";

const WHOLE_NUMBER = /^-?\d{1,15}$/;

type Values = Record<string, unknown> | undefined;

const isObjectSchema = (schema: unknown): schema is { properties: Record<string, TSchema> } =>
  typeof schema === "object" && schema !== null && "properties" in schema;

const integerFields = (schema: unknown): string[] =>
  isObjectSchema(schema)
    ? Object.entries(schema.properties).flatMap(([name, field]) => (KindGuard.IsInteger(field) ? [name] : []))
    : [];

const readInPlace = (values: Values, names: readonly string[]): void => {
  for (const name of names) {
    const text = values?.[name];
    if (values && typeof text === "string" && WHOLE_NUMBER.test(text)) values[name] = Number(text);
  }
};

/**
 * A URL is text: turns the fields of query and path that a route's schema declares as whole numbers into numbers, in
 * place, before they are checked. Elysia 1.4.30 does that for its own `t.Integer` only, and refuses a number that is out
 * of range without the name of its field.
 */
export const urlNumbers = (routes: RouteList) => {
  const known = new Map<string, { query: string[]; params: string[] }>();
  const fieldsOf = (method: string, path: string) => {
    const id = `${method} ${path}`;
    const fields = known.get(id);
    if (fields) return fields;
    const route = routes().find((candidate) => candidate.method === method && candidate.path === path);
    const found = { query: integerFields(route?.hooks?.query), params: integerFields(route?.hooks?.params) };
    known.set(id, found);
    return found;
  };
  return (method: string, path: string, query: Values, params: Values): void => {
    const fields = fieldsOf(method, path);
    readInPlace(query, fields.query);
    readInPlace(params, fields.params);
  };
};
