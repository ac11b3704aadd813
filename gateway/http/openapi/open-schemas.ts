import type { AnyElysia } from "elysia";

/*
 * Elysia 1.4.30 writes `additionalProperties` into the schema of a response when its route is first requested. The
 * document must not depend on which routes have been requested before.
 */

const open = new WeakSet<object>();

/** Remembers which schemas accept additional properties. Call it before the first request. */
export const rememberOpenSchemas = (app: AnyElysia): void => {
  for (const { hooks } of app.routes) {
    const { body, query, params, response } = hooks as Record<string, unknown>;
    for (const schema of [body, query, params, response, ...Object.values(response ?? {})]) {
      if (typeof schema === "object" && schema !== null && !("additionalProperties" in schema)) open.add(schema);
    }
  }
};

/** Whether the schema was declared without `additionalProperties`, even if it has them now. */
export const wasOpen = (schema: object): boolean => open.has(schema);
