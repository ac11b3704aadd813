import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { KindGuard, type TSchema } from "@sinclair/typebox";
import { Value, ValuePointer } from "@sinclair/typebox/value";
import { parse, TomlError } from "smol-toml";
import { Config } from "./config";
import { AppError, type ErrorDetail } from "./errors";
import { nearest } from "./nearest";
import { ownValue } from "./own-value";
import { findContradictions } from "./setting-rules";

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
  /** The value is a path, resolved against the folder in which the process starts. */
  isFile: boolean;
  schema: TSchema;
}

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

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

/** Parses the text of an environment variable. Text that doesn't match the setting's type is returned unchanged. */
const fromText = ({ schema }: Setting, text: string): unknown => {
  if (KindGuard.IsInteger(schema)) return /^[+-]?\d+$/.test(text.trim()) ? Number(text) : text;
  if (KindGuard.IsNumber(schema)) return /^[+-]?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text;
  if (KindGuard.IsBoolean(schema)) {
    const word = text.trim().toLowerCase();
    return ownValue(TRUE_WORDS, word) ?? ownValue(FALSE_WORDS, word) ?? text;
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
  if (KindGuard.IsNumber(schema)) return `a number from ${schema.minimum} to ${schema.maximum}`;
  if (KindGuard.IsBoolean(schema)) return "true or false";
  if (KindGuard.IsUnion(schema)) return `one of ${schema.anyOf.map((option) => option.const).join(", ")}`;
  if (KindGuard.IsString(schema) && (schema.minLength ?? 0) > 1) return `${schema.minLength} characters or more`;
  return "text";
};

/** A value as text: secrets are masked, lists are separated by commas, a missing value is empty. */
const display = ({ isSecret }: Setting, value: unknown): string => {
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
const readValue = (setting: Setting, given: unknown): { value: unknown; problem?: undefined } | { problem: string } => {
  const value = typeof given === "string" ? fromText(setting, given) : given;
  return Value.Check(setting.schema, value)
    ? { value }
    : { problem: `is ${quote(setting, given)}; expected ${expectation(setting)}` };
};

/** Only this file reads the environment. Every process reads its configuration once, when it starts. */
export type Environment = Record<string, string | undefined>;

/** The source of a value: a variable, `groundwire.toml`, or the default. */
type Origin = "environment" | "file" | "default";

export interface Settings {
  config: Config;
  /** By `Setting.key`. */
  origins: ReadonlyMap<string, Origin>;
}

const CONFIG_FILE = "groundwire.toml";
const PREFIX = "GROUNDWIRE_";

/**
 * Reads the environment and `groundwire.toml` in `cwd`. A variable overrides the file; an empty one counts as not set.
 * Throws one AppError invalid_request that lists every problem in `detail.details`, by variable or key of the file.
 */
export const readSettings = (env: Environment = process.env, cwd: string = process.cwd()): Settings => {
  const file = readFile(join(cwd, CONFIG_FILE));
  const problems: ErrorDetail[] = [...file.problems, ...unknownVariables(env)];
  const origins = new Map<string, Origin>();
  const draft: Draft = {};

  for (const setting of SETTINGS) {
    const text = env[setting.env] || undefined;
    const given = text ?? file.values.get(setting.key);
    origins.set(setting.key, text !== undefined ? "environment" : given !== undefined ? "file" : "default");
    if (given === undefined) {
      set(draft, setting, setting.key === "models.dir" ? modelsDir(env) : setting.default, cwd);
      continue;
    }
    const read = readValue(setting, given);
    if (read.problem === undefined) set(draft, setting, read.value, cwd);
    else
      problems.push({
        path: text === undefined ? `${setting.key} in ${CONFIG_FILE}` : setting.env,
        message: read.problem,
      });
  }

  if (problems.length > 0) throw settingsError(problems);
  Value.Assert(Config, draft);
  const contradictions = findContradictions(draft);
  if (contradictions.length > 0) throw settingsError(contradictions);
  return { config: draft, origins };
};

/** The checked configuration of this process. Throws like `readSettings`. */
export const loadConfig = (env: Environment = process.env, cwd: string = process.cwd()): Config =>
  readSettings(env, cwd).config;

/** The defaults with these overrides, independent of the environment. For tests and tools. */
export const defaultConfig = (overrides: DeepPartial<Config> = {}): Config => {
  const { config } = readSettings({}, "/");
  for (const { pointer } of SETTINGS) {
    const value: unknown = ValuePointer.Get(overrides, pointer);
    if (value !== undefined) ValuePointer.Set(config, pointer, value);
  }
  return Value.Parse(Config, config);
};

export interface SettingView {
  setting: Setting;
  /** As text, secrets masked. */
  value: string;
  origin: Origin;
}

/** Every setting with its effective value and the origin of the value. */
export const describeSettings = ({ config, origins }: Settings): SettingView[] =>
  SETTINGS.map((setting) => ({
    setting,
    value: display(setting, ValuePointer.Get(config, setting.pointer)),
    origin: origins.get(setting.key) ?? "default",
  }));

type Draft = { [name: string]: unknown };
type DeepPartial<T> = T extends unknown[] ? T : T extends object ? { [K in keyof T]?: DeepPartial<T[K]> } : T;

const isRecord = (value: unknown): value is Draft =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

const set = (draft: Draft, { pointer, isFile }: Setting, value: unknown, cwd: string): void =>
  ValuePointer.Set(draft, pointer, isFile && typeof value === "string" ? resolve(cwd, value) : value);

/** The user's cache folder on each operating system. */
const modelsDir = (env: Environment): string => {
  const home = homedir();
  const cache =
    env.XDG_CACHE_HOME ||
    (process.platform === "darwin" && join(home, "Library", "Caches")) ||
    (process.platform === "win32" && env.LOCALAPPDATA) ||
    join(home, ".cache");
  return join(cache, "groundwire", "models");
};

const suggestion = (name: string, known: Iterable<string>): string => {
  const near = nearest(name, known);
  return near ? `is not a setting; did you mean ${near}?` : "is not a setting; `bun run config` lists them all";
};

const unknownVariables = (env: Environment): ErrorDetail[] => {
  const known = new Set(SETTINGS.map((setting) => setting.env));
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.has(name))
    .map((name) => ({ path: name, message: suggestion(name, known) }));
};

interface FileContent {
  values: Map<string, unknown>;
  problems: ErrorDetail[];
}

const readFile = (path: string): FileContent => {
  const content: FileContent = { values: new Map(), problems: [] };
  if (!existsSync(path)) return content;
  try {
    flatten(parse(readFileSync(path, "utf8")), "", content);
  } catch (error) {
    const line = error instanceof TomlError ? error.line : undefined;
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    content.problems.push({ path: CONFIG_FILE, message: `can't be read: ${reason}`, ...(line && { line }) });
  }
  return content;
};

/** Turns nested tables into dotted keys. A key that is not a setting is a problem. */
const flatten = (table: Draft, prefix: string, content: FileContent): void => {
  const known = SETTINGS.map((setting) => setting.key);
  for (const [name, value] of Object.entries(table)) {
    const key = prefix + name;
    if (known.includes(key)) content.values.set(key, value);
    else if (isRecord(value) && known.some((each) => each.startsWith(`${key}.`))) flatten(value, `${key}.`, content);
    else content.problems.push({ path: `${key} in ${CONFIG_FILE}`, message: suggestion(key, known) });
  }
};

const settingsError = (problems: ErrorDetail[]): AppError => {
  const lines = problems.map(({ path, message, line }) => `  ${path}${line ? ` (line ${line})` : ""} ${message}`);
  const count = problems.length === 1 ? "A setting is invalid" : `${problems.length} settings are invalid`;
  return new AppError("invalid_request", `${count}:\n${lines.join("\n")}`, { details: problems });
};
