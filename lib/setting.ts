import { KindGuard, OptionalKind, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { Config } from "./config";

/** One leaf of the configuration's schema. */
export interface Setting {
  /** Place in `Config`: `["gateway", "adminKey"]`. */
  path: readonly string[];
  /** Place in `groundwire.toml`: `gateway.admin_key`. */
  key: string;
  /** The environment variable. */
  env: string;
  description: string;
  default: unknown;
  isOptional: boolean;
  isSecret: boolean;
  /** A path, resolved against the folder that the process starts in. */
  isFile: boolean;
  schema: TSchema;
}

const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const collect = (schema: TSchema, path: readonly string[]): Setting[] => {
  if (KindGuard.IsObject(schema)) {
    return Object.entries(schema.properties).flatMap(([name, child]) => collect(child, [...path, name]));
  }
  return [
    {
      path,
      key: path.map(snakeCase).join("."),
      env: schema.env,
      description: schema.description ?? "",
      default: schema.default,
      isOptional: schema[OptionalKind] === "Optional",
      isSecret: schema.secret === true,
      isFile: schema.file === true,
      schema,
    },
  ];
};

/** Every setting, in the order of the schema. */
export const SETTINGS: readonly Setting[] = collect(Config, []);

const WORDS_OF_TRUTH: Record<string, boolean> = { true: true, yes: true, on: true, "1": true };
const WORDS_OF_DENIAL: Record<string, boolean> = { false: false, no: false, off: false, "0": false };

/** The value that the text of an environment variable stands for; text that fits no value comes back as it is. */
const fromText = ({ schema }: Setting, text: string): unknown => {
  if (KindGuard.IsInteger(schema)) return /^[+-]?\d+$/.test(text.trim()) ? Number(text) : text;
  if (KindGuard.IsBoolean(schema)) {
    const word = text.trim().toLowerCase();
    return WORDS_OF_TRUTH[word] ?? WORDS_OF_DENIAL[word] ?? text;
  }
  if (KindGuard.IsArray(schema)) {
    return text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  }
  return text;
};

/** What a setting accepts, in words that end the sentence "expected …". */
export const expectation = ({ schema }: Setting): string => {
  if (typeof schema.expected === "string") return schema.expected;
  if (KindGuard.IsInteger(schema)) return `a whole number from ${schema.minimum} to ${schema.maximum}`;
  if (KindGuard.IsBoolean(schema)) return "true or false";
  if (KindGuard.IsUnion(schema)) return `one of ${schema.anyOf.map((option) => option.const).join(", ")}`;
  if (KindGuard.IsString(schema) && (schema.minLength ?? 0) > 1) return `${schema.minLength} characters or more`;
  return "text";
};

/** A value for people: secrets are masked, lists separated by commas, nothing is an empty text. */
export const display = ({ isSecret }: Setting, value: unknown): string => {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return "";
  if (isSecret) return "********";
  return Array.isArray(value) ? value.join(", ") : String(value);
};

const quote = ({ isSecret }: Setting, value: unknown): string =>
  isSecret ? `a secret of ${String(value).length} characters` : JSON.stringify(value);

/**
 * Reads one given value, a text from the environment or a value from the file. `problem` is the end of a sentence that
 * begins with the setting's name.
 */
export const readValue = (
  setting: Setting,
  given: unknown,
): { value: unknown; problem?: undefined } | { problem: string } => {
  const value = typeof given === "string" ? fromText(setting, given) : given;
  return Value.Check(setting.schema, value)
    ? { value }
    : { problem: `is ${quote(setting, given)}; expected ${expectation(setting)}` };
};
