import { KindGuard, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { Config } from "./config";

/** One leaf of the configuration's schema. */
export interface Setting {
  /** JSON pointer to its place in `Config`: `/gateway/adminKey`. */
  pointer: string;
  /** Place in `groundwire.toml`: `gateway.admin_key`. */
  key: string;
  /** The environment variable. */
  env: string;
  description: string;
  default: unknown;
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
      pointer: `/${path.join("/")}`,
      key: path.map(snakeCase).join("."),
      env: schema.env,
      description: schema.description ?? "",
      default: schema.default,
      isSecret: schema.secret === true,
      isFile: schema.file === true,
      schema,
    },
  ];
};

/** Every setting, in the order of the schema. */
export const SETTINGS: readonly Setting[] = collect(Config, []);

const TRUE_WORDS: Record<string, boolean> = { true: true, yes: true, on: true, "1": true };
const FALSE_WORDS: Record<string, boolean> = { false: false, no: false, off: false, "0": false };

/** Parses the text of an environment variable. Text that does not fit the setting is returned unchanged. */
const fromText = ({ schema }: Setting, text: string): unknown => {
  if (KindGuard.IsInteger(schema)) return /^[+-]?\d+$/.test(text.trim()) ? Number(text) : text;
  if (KindGuard.IsBoolean(schema)) {
    const word = text.trim().toLowerCase();
    return TRUE_WORDS[word] ?? FALSE_WORDS[word] ?? text;
  }
  if (KindGuard.IsArray(schema)) {
    return text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  }
  return text;
};

/** The accepted values, as the end of the sentence "expected …". */
export const expectation = ({ schema }: Setting): string => {
  if (typeof schema.expected === "string") return schema.expected;
  if (KindGuard.IsInteger(schema)) return `a whole number from ${schema.minimum} to ${schema.maximum}`;
  if (KindGuard.IsBoolean(schema)) return "true or false";
  if (KindGuard.IsUnion(schema)) return `one of ${schema.anyOf.map((option) => option.const).join(", ")}`;
  if (KindGuard.IsString(schema) && (schema.minLength ?? 0) > 1) return `${schema.minLength} characters or more`;
  return "text";
};

/** A value as text: secrets are masked, lists are separated by commas, a missing value is empty. */
export const display = ({ isSecret }: Setting, value: unknown): string => {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return "";
  if (isSecret) return "********";
  return Array.isArray(value) ? value.join(", ") : String(value);
};

const quote = ({ isSecret }: Setting, value: unknown): string =>
  isSecret ? `a secret of ${String(value).length} characters` : JSON.stringify(value);

/**
 * Parses and checks one value: text from the environment or a value from the file. `problem` continues a sentence that
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
