/** A JSON schema of the OpenAPI document, as far as the check reads it. */
export interface JsonSchema {
  $ref?: string;
  type?: string;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
}

type Schemas = Record<string, JsonSchema>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether a variant of a union can be meant for this value at all. */
const fits = (schema: JsonSchema, value: unknown, schemas: Schemas): boolean => {
  const { type, properties } = resolved(schema, schemas);
  if (type === "null" || type === "string") return value === null ? type === "null" : typeof value === type;
  if (type === "array") return Array.isArray(value);
  return type !== "object" && properties === undefined ? true : isObject(value);
};

const resolved = (schema: JsonSchema, schemas: Schemas): JsonSchema =>
  schema.$ref ? (schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {}) : schema;

/**
 * The paths of the fields in `value` that `schema` doesn't mention. Of a union, the variant with the fewest counts. A
 * schema without properties describes any object.
 */
export const undeclaredFields = (value: unknown, schema: JsonSchema, schemas: Schemas, path = ""): string[] => {
  const { properties, additionalProperties, items, anyOf, oneOf, allOf } = resolved(schema, schemas);
  const variants = anyOf ?? oneOf;
  if (variants) {
    const results = variants
      .filter((variant) => fits(variant, value, schemas))
      .map((variant) => undeclaredFields(value, variant, schemas, path));
    return results.sort((a, b) => a.length - b.length)[0] ?? [];
  }
  if (allOf) {
    const [first = [], ...others] = allOf.map((part) => undeclaredFields(value, part, schemas, path));
    return first.filter((field) => others.every((fields) => fields.includes(field)));
  }
  if (Array.isArray(value)) {
    // The items of a list have one schema, and the first ones show what the others have.
    return items ? value.slice(0, 20).flatMap((item) => undeclaredFields(item, items, schemas, `${path}[]`)) : [];
  }
  if (!isObject(value) || !properties) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (own) return undeclaredFields(inner, own, schemas, `${path}.${name}`);
    if (isObject(additionalProperties))
      return undeclaredFields(inner, additionalProperties, schemas, `${path}.${name}`);
    return additionalProperties === true ? [] : [`${path}.${name}`];
  });
};
