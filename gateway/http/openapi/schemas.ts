import { PatternStringExact } from "@sinclair/typebox";
import { NEUTRAL, STRICT, UNSUPPORTED } from "../../contract";
import { isEmpty } from "../../validation/neutral-values";

export type JsonSchema = { [keyword: string]: unknown };

export const isObject = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isNull = (schema: unknown): boolean => isObject(schema) && schema.type === "null";
const isFile = (schema: unknown): boolean => isObject(schema) && schema.format === "binary";
const isConst = (schema: unknown): schema is { const: string } => isObject(schema) && typeof schema.const === "string";

const SCHEMAS = new Set(["items", "additionalProperties", "not"]);
/** Our own and Elysia's keywords, which are not part of JSON Schema. */
const OWN_KEYWORDS = new Set(["elysiaMeta", NEUTRAL, STRICT, UNSUPPORTED]);

/** Whether this schema describes an object in a JSON request: it rejects unknown fields and is not a form. */
const takesNeutral = ({ [STRICT]: isStrict, properties }: JsonSchema): boolean =>
  isStrict === true && !(isObject(properties) && Object.values(properties).some(isFile));

const EMPTY: JsonSchema = { type: ["array", "object"], maxItems: 0, maxProperties: 0 };

/** Allows the values that `validation/neutral-values.ts` removes, even if the optional field's own schema rejects them. */
const orNeutral = (schema: JsonSchema, raw: unknown): JsonSchema => {
  const neutral = isObject(raw) && raw[NEUTRAL];
  if (!Array.isArray(neutral) || !neutral.some(isEmpty)) return orNull(schema);
  const { anyOf = [schema], description } = schema;
  return { anyOf: [...(anyOf as JsonSchema[]).filter((one) => !isNull(one)), EMPTY, { type: "null" }], description };
};

const orNull = (schema: JsonSchema): JsonSchema => {
  const { anyOf } = schema;
  if (!Array.isArray(anyOf)) return { anyOf: [schema, { type: "null" }] };
  return anyOf.some(isNull) ? schema : { ...schema, anyOf: [...anyOf, { type: "null" }] };
};

/**
 * Converts TypeBox schemas to OpenAPI schemas and collects the named ones: a schema with a `title` becomes a component
 * and is referenced. Unions of literals become enums. Records become `additionalProperties`, because client generators
 * ignore TypeBox's `patternProperties`. Throws if two different schemas have the same name.
 */
export class Components {
  readonly schemas: Record<string, JsonSchema> = {};

  add(schema: unknown): JsonSchema {
    if (!isObject(schema)) return {};
    const { title, ...rest } = schema;
    const converted = this.#convert(rest);
    if (typeof title !== "string") return converted;
    const known = this.schemas[title];
    if (known && JSON.stringify(known) !== JSON.stringify(converted)) {
      throw new Error(`Two different schemas have the title ${title}.`);
    }
    this.schemas[title] = converted;
    return { $ref: `#/components/schemas/${title}` };
  }

  #convert(schema: JsonSchema): JsonSchema {
    const { anyOf, ...others } = schema;
    if (Array.isArray(anyOf) && anyOf.every(isConst)) {
      return { type: "string", enum: anyOf.map((variant) => variant.const), ...this.#convert(others) };
    }
    const converted: JsonSchema = {};
    for (const [keyword, value] of Object.entries(schema)) {
      if (OWN_KEYWORDS.has(keyword) || value === "File" || value === undefined) continue;
      if (keyword === "additionalProperties" && value === false && !schema[STRICT]) continue;
      if (isObject(value) && keyword === "patternProperties" && PatternStringExact in value) {
        converted.additionalProperties = this.add(value[PatternStringExact]);
      } else if (isObject(value) && keyword === "properties") {
        converted[keyword] = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, this.add(inner)]));
      } else if (Array.isArray(value) && keyword === "anyOf") converted[keyword] = value.map((one) => this.add(one));
      else converted[keyword] = isObject(value) && SCHEMAS.has(keyword) ? this.add(value) : value;
    }
    const { properties, required } = converted;
    if (isObject(properties) && isObject(schema.properties) && takesNeutral(schema)) {
      const needed = new Set(Array.isArray(required) ? required : []);
      for (const [name, property] of Object.entries(properties)) {
        if (!needed.has(name) && isObject(property)) properties[name] = orNeutral(property, schema.properties[name]);
      }
    }
    return converted;
  }
}

/** A value that matches `schema`: its own example, or one composed of its parts' examples. */
export const exampleOf = (schema: unknown): unknown => {
  if (!isObject(schema)) return null;
  const { examples, anyOf, items, properties, required } = schema;
  if (Array.isArray(examples)) return examples[0];
  if ("default" in schema) return schema.default;
  if ("const" in schema) return schema.const;
  if (Array.isArray(anyOf)) return anyOf.some(isNull) ? null : exampleOf(anyOf[0]);
  switch (schema.type) {
    case "object": {
      const names = Array.isArray(required) ? required.map(String) : [];
      return Object.fromEntries(names.map((name) => [name, exampleOf(isObject(properties) ? properties[name] : {})]));
    }
    case "array":
      return isObject(items) && (isObject(items.properties) || schema.minItems) ? [exampleOf(items)] : [];
    case "integer":
    case "number":
      return schema.minimum ?? 0;
    case "boolean":
      return true;
    case "string":
      return "text";
    default:
      return null;
  }
};
