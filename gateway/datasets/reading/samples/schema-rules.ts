import type { ErrorObject } from "ajv";

const MAX_LISTED_LENGTH = 200;

const TYPES: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  integer: "a whole number",
  null: "null",
  number: "a number",
  object: "an object",
  string: "a string",
};

const COMPARED: Readonly<Record<string, (limit: unknown) => string>> = {
  ">=": (limit) => `${limit} or more`,
  "<=": (limit) => `${limit} or less`,
  ">": (limit) => `more than ${limit}`,
  "<": (limit) => `less than ${limit}`,
};

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
const shown = (value: unknown): string => (JSON.stringify(value) ?? "").slice(0, MAX_LISTED_LENGTH);

/** What a failed keyword of JSON Schema requires, as words after the name of the value: "must be a string". */
export const ruleOf = ({ keyword, params, message = "does not match the schema" }: ErrorObject): string => {
  switch (keyword) {
    case "type":
      return `must be ${[params.type]
        .flat()
        .map((type) => TYPES[type] ?? type)
        .join(" or ")}`;
    case "enum":
      return `must be one of ${params.allowedValues.map(shown).join(", ").slice(0, MAX_LISTED_LENGTH)}`;
    case "const":
      return `must be ${shown(params.allowedValue)}`;
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
      return `must be ${COMPARED[params.comparison]?.(params.limit)}`;
    case "multipleOf":
      return `must be a multiple of ${params.multipleOf}`;
    case "minLength":
      return `must have at least ${counted(params.limit, "character")}`;
    case "maxLength":
      return `must have at most ${counted(params.limit, "character")}`;
    case "minItems":
      return `must have at least ${counted(params.limit, "item")}`;
    case "maxItems":
      return `must have at most ${counted(params.limit, "item")}`;
    case "minProperties":
      return `must have at least ${counted(params.limit, "field")}`;
    case "maxProperties":
      return `must have at most ${counted(params.limit, "field")}`;
    case "uniqueItems":
      return "must not list the same item twice";
    case "pattern":
      return `must match the pattern ${String(params.pattern).slice(0, MAX_LISTED_LENGTH)}`;
    case "additionalProperties":
      return `must not have the field ${shown(params.additionalProperty)}`;
    case "required":
      return `must have the field ${shown(params.missingProperty)}`;
    default:
      return message;
  }
};
