import { KindGuard, type TSchema } from "@sinclair/typebox";
import type { RouteList } from "./allowed-methods";

const WHOLE_NUMBER = /^-?\d{1,15}$/;

const integerFields = (query: unknown): string[] => {
  if (!isObjectSchema(query)) return [];
  return Object.entries(query.properties).flatMap(([name, field]) => (KindGuard.IsInteger(field) ? [name] : []));
};

const isObjectSchema = (schema: unknown): schema is { properties: Record<string, TSchema> } =>
  typeof schema === "object" && schema !== null && "properties" in schema;

/**
 * A query is text: turns the fields that a route's schema declares as whole numbers into numbers, in place, before they
 * are checked. Elysia 1.4.30 does that for its own `t.Integer` only, and its refusal then names no field.
 */
export const queryNumbers = (routes: RouteList) => {
  const fields = new Map<string, string[]>();
  return (method: string, route: string, query: Record<string, unknown> | undefined): void => {
    if (!query) return;
    const id = `${method} ${route}`;
    let names = fields.get(id);
    if (!names) {
      const found = routes().find((candidate) => candidate.method === method && candidate.path === route);
      names = integerFields(found?.hooks?.query);
      fields.set(id, names);
    }
    for (const name of names) {
      const text = query[name];
      if (typeof text === "string" && WHOLE_NUMBER.test(text)) query[name] = Number(text);
    }
  };
};
