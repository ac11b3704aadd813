import { KindGuard, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../../lib/errors";
import { leaveOutNeutral } from "../validation/neutral-values";

/** The parser's result for a request without a body. With `undefined`, Elysia would read the body again. */
export const NO_BODY = Symbol("no body");

const WHOLE_NUMBER = /^-?\d{1,15}$/;

type Values = Record<string, unknown> | undefined;

export interface Inputs {
  /** The names of the query parameters; undefined for a route that declares none. */
  query: ReadonlySet<string> | undefined;
  queryNumbers: readonly string[];
  pathNumbers: readonly string[];
  /** none: an API route without a body. own: the route reads its body itself. form: only Elysia checks it. */
  body: "none" | "own" | "form" | TSchema;
  /** True if every field of the body is optional. A missing body is then read as `{}`. */
  isBodyOptional: boolean;
}

const isObjectSchema = (schema: unknown): schema is TSchema & { properties: Record<string, TSchema> } =>
  typeof schema === "object" && schema !== null && "properties" in schema;

const integerFields = (schema: unknown): string[] =>
  isObjectSchema(schema)
    ? Object.entries(schema.properties).flatMap(([name, field]) => (KindGuard.IsInteger(field) ? [name] : []))
    : [];

interface Hooks {
  body?: unknown;
  query?: unknown;
  params?: unknown;
  detail?: { "x-bodies"?: unknown };
}

export const inputsOf = ({ body, query, params, detail }: Hooks, isDocumented: boolean): Inputs => {
  const readsItself = detail?.["x-bodies"] !== undefined;
  const isNone = isDocumented && body === undefined && !readsItself;
  return {
    query: isObjectSchema(query) ? new Set(Object.keys(query.properties)) : undefined,
    queryNumbers: integerFields(query),
    pathNumbers: integerFields(params),
    body: isNone ? "none" : readsItself ? "own" : isObjectSchema(body) ? body : "form",
    isBodyOptional: isObjectSchema(body) && Value.Check(body, {}),
  };
};

const readNumbers = (values: Values, names: readonly string[]): void => {
  for (const name of names) {
    const text = values?.[name];
    if (values && typeof text === "string" && WHOLE_NUMBER.test(text)) values[name] = Number(text);
  }
};

const isEmpty = (body: unknown): boolean =>
  typeof body === "object" && body !== null && !Array.isArray(body) && Object.keys(body).length === 0;

const KINDS: Record<string, string> = { string: "text", number: "a number", boolean: "true or false" };
const kindOf = (body: unknown): string =>
  body === null ? "null" : Array.isArray(body) ? "a list" : (KINDS[typeof body] ?? "an object");

/** Throws invalid_request for a repeated query parameter, because it is ambiguous which value applies. */
const refuseRepeated = (url: string, names: ReadonlySet<string>): void => {
  const start = url.indexOf("?");
  if (start === -1 || url.indexOf("&", start) === -1) return;
  const given = new URLSearchParams(url.slice(start));
  for (const name of names) {
    if (given.getAll(name).length > 1) {
      throw new AppError("invalid_request", `${name} is sent more than once. Send it once.`, { param: name });
    }
  }
};

/**
 * Prepares the inputs of a request for validation. Converts integers in the query and path from text to numbers, in
 * place (Elysia 1.4.30 only does that for its own `t.Integer`). Returns the body without neutral values, or `{}` for a
 * missing body if every field is optional. Throws invalid_request for a body that is not an object: Elysia merges any
 * body into an object of defaults, so a list or a number would pass validation.
 */
export const prepareInputs = (
  { method, inputs }: { method: string; inputs: Inputs },
  request: Pick<Request, "url">,
  given: unknown,
  query: Values,
  params: Values,
): unknown => {
  const body = given === NO_BODY ? undefined : given;
  if (inputs.query) refuseRepeated(request.url, inputs.query);
  readNumbers(query, inputs.queryNumbers);
  readNumbers(params, inputs.pathNumbers);
  if (inputs.body === "own" || inputs.body === "form") return body;
  if (inputs.body === "none") {
    if (body === undefined || isEmpty(body)) return body;
    throw new AppError(
      "invalid_request",
      `${method} ${new URL(request.url).pathname} does not accept a body. Leave it out, or send {}.`,
    );
  }
  if (body === undefined && inputs.isBodyOptional) return {};
  if (body === undefined) throw new AppError("invalid_request", "The body is empty. Send a JSON object.");
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new AppError("invalid_request", `The body must be an object, not ${kindOf(body)}.`);
  }
  leaveOutNeutral(inputs.body, body);
  return body;
};
