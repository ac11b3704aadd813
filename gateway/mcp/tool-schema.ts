import { NEUTRAL, STRICT, UNSUPPORTED } from "../contract";

/** Our own keywords, which are not part of JSON Schema. */
const OWN_KEYWORDS = new Set<string>([NEUTRAL, STRICT, UNSUPPORTED]);

type Json = Record<string, unknown>;

const isConst = (schema: unknown): schema is { const: unknown } =>
  typeof schema === "object" && schema !== null && typeof (schema as Json).const === "string";

const convert = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(convert);
  if (typeof value !== "object" || value === null) return value;
  const { anyOf, ...others } = value as Json;
  if (Array.isArray(anyOf) && anyOf.every(isConst)) {
    return { type: "string", enum: anyOf.map((one) => one.const), ...(convert(others) as Json) };
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([keyword, inner]) => (OWN_KEYWORDS.has(keyword) ? [] : [[keyword, convert(inner)]])),
  );
};

/** Converts a TypeBox object schema to plain JSON Schema for a tool. Unions of literals become enums. */
export const toolSchema = (schema: object): { type: "object"; [keyword: string]: unknown } =>
  JSON.parse(JSON.stringify(convert(schema)));
