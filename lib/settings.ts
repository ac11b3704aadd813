import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { Value, ValuePointer } from "@sinclair/typebox/value";
import { parse, TomlError } from "smol-toml";
import { Config } from "./config";
import { AppError, type ErrorDetail } from "./errors";
import { nearest } from "./nearest";
import { display, readValue, SETTINGS, type Setting } from "./setting";
import { findContradictions } from "./setting-rules";

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
 * Reads the environment and `groundwire.toml` in `cwd`; a variable wins over the file, an empty one counts as not set.
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

/** The defaults with these overrides, independent of the environment: for tests and tools. */
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

/** The user's cache folder as each system names it. */
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
  const count = problems.length === 1 ? "A setting is wrong" : `${problems.length} settings are wrong`;
  return new AppError("invalid_request", `${count}:\n${lines.join("\n")}`, { details: problems });
};
