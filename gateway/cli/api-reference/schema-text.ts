/** A JSON schema of the OpenAPI document, as far as the reference shows it. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  pattern?: string;
  format?: string;
}

/** `KeyPage` as a link to its section. */
export const link = (ref: string): string => {
  const name = ref.slice(ref.lastIndexOf("/") + 1);
  return `[${name}](#${name.toLowerCase()})`;
};

/** Matches only an empty list or object, which is how a neutral value of an unsupported field is accepted. */
const isNeutral = ({ maxItems, maxProperties }: Schema): boolean => maxItems === 0 && maxProperties === 0;

const isNull = ({ type }: Schema): boolean => type === "null";

/** The type in words: "string or null", "array of [Key](#key)", "`a` or `b`". */
export const typeOf = (schema: Schema): string => {
  const { $ref, anyOf, items, type, enum: values, const: only, additionalProperties, properties } = schema;
  if ($ref) return link($ref);
  if (anyOf) {
    const parts = anyOf.filter((each) => !isNull(each) && !isNeutral(each)).map(typeOf);
    return [...new Set(parts), ...(anyOf.some(isNull) ? ["null"] : [])].join(" or ");
  }
  if (values) return values.map((value) => `\`${value}\``).join(" or ");
  if (only !== undefined) return `\`${only}\``;
  if (type === "array" && schema.maxItems === 0) return "empty array";
  if (type === "array") return items ? `array of ${typeOf(items)}` : "array";
  if (type === "object" && !properties && typeof additionalProperties === "object") {
    return `object with values: ${typeOf(additionalProperties)}`;
  }
  return Array.isArray(type) ? type.join(" or ") : (type ?? "any value");
};

/** The only alternative that isn't null, because its limits and fields are those of the whole. */
const main = (schema: Schema): Schema => {
  const [only, ...others] = schema.anyOf?.filter((each) => !isNull(each) && !isNeutral(each)) ?? [schema];
  return only && others.length === 0 ? only : schema;
};

/** The limits in words: "1 to 100", "up to 200 characters", "default `20`". */
const limitsOf = (schema: Schema): string[] => {
  const { minimum, maximum, exclusiveMinimum, minLength, maxLength, minItems, maxItems, format } = main(schema);
  const value = schema.default ?? main(schema).default;
  return [
    ...between(safe(minimum), safe(maximum)),
    ...(exclusiveMinimum === undefined ? [] : [`more than ${exclusiveMinimum}`]),
    ...between(minLength === 1 && maxLength === undefined ? 0 : (minLength ?? 0), maxLength, " characters"),
    ...between(minItems ?? 0, maxItems || undefined, " entries"),
    ...(format ? [format] : []),
    ...(value === undefined ? [] : [`default \`${JSON.stringify(value)}\``]),
  ];
};

const between = (low: number | undefined, high: number | undefined, unit = ""): string[] => {
  if (high === undefined) return low ? [`at least ${low}${unit}`] : [];
  if (low === high) return [`${low}${unit}`];
  return [low === undefined || (low === 0 && unit) ? `up to ${high}${unit}` : `${low} to ${high}${unit}`];
};

/** JavaScript's limits for whole numbers say nothing about the field. */
const safe = (limit: number | undefined): number | undefined =>
  Math.abs(limit ?? 0) === Number.MAX_SAFE_INTEGER ? undefined : limit;

const cell = (text: string): string => text.replaceAll("|", "\\|").replace(/\s*\n\s*/g, " ");

/** The description, then the limits. */
export const meaningOf = (schema: Schema): string => {
  const text = schema.description ?? main(schema).description ?? main(schema).items?.description ?? "";
  const limits = limitsOf(schema).join(", ");
  return cell(text && limits ? `${text} (${limits})` : text || limits);
};

interface Field {
  name: string;
  type: string;
  isRequired: boolean;
  meaning: string;
}

/** All fields of an object; those of objects without a name of their own follow as `parent.child` or `list[].child`. */
const fieldsOf = (schema: Schema, prefix = ""): Field[] =>
  Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const name = prefix + key;
    const inner = main(child);
    const nested = inner.type === "array" && inner.items ? main(inner.items) : inner;
    return [
      { name, type: typeOf(child), isRequired: schema.required?.includes(key) ?? false, meaning: meaningOf(child) },
      ...(nested.$ref ? [] : fieldsOf(nested, `${name}${nested === inner ? "." : "[]."}`)),
    ];
  });

/** A table of the fields of an object; undefined if it has none. */
export const fieldTable = (schema: Schema): string | undefined => {
  const fields = fieldsOf(schema);
  if (fields.length === 0) return undefined;
  const rows = fields.map(
    ({ name, type, isRequired, meaning }) => `| \`${name}\`${isRequired ? " *" : ""} | ${cell(type)} | ${meaning} |`,
  );
  return ["| field | type | meaning |", "|---|---|---|", ...rows].join("\n");
};
