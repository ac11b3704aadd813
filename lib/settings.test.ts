import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError, type ErrorDetail } from "./errors";
import { defaultConfig, describeSettings, loadConfig, readSettings } from "./settings";

const folders: string[] = [];
const folderWith = (toml?: string): string => {
  const folder = mkdtempSync(join(tmpdir(), "groundwire-settings-"));
  folders.push(folder);
  if (toml !== undefined) writeFileSync(join(folder, "groundwire.toml"), toml);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const problemsOf = (env: Record<string, string>, cwd = folderWith()): ErrorDetail[] => {
  try {
    readSettings(env, cwd);
  } catch (error) {
    if (error instanceof AppError) return error.detail.details ?? [];
    throw error;
  }
  return [];
};

describe("reading", () => {
  test("the defaults are a configuration that works on one machine", () => {
    const cwd = folderWith();
    const config = loadConfig({}, cwd);
    expect(config.gateway.port).toBe(8080);
    expect(config.gateway.adminKey).toBeUndefined();
    expect(config.dataDir).toBe(join(cwd, "data"));
    expect(config.models.dir).toEndWith(join("groundwire", "models"));
  });

  test("environment values become numbers, flags and lists", () => {
    const config = loadConfig(
      {
        GROUNDWIRE_PORT: "9000",
        GROUNDWIRE_GPU_PRICE_PER_HOUR: "2.49",
        GROUNDWIRE_CACHE: "off",
        GROUNDWIRE_NODES: "http://10.0.0.1:8081, http://10.0.0.2:8081",
      },
      folderWith(),
    );
    expect(config.gateway.port).toBe(9000);
    expect(config.gateway.gpuPricePerHour).toBe(2.49);
    expect(config.cache.enabled).toBe(false);
    expect(config.gateway.nodes).toEqual(["http://10.0.0.1:8081", "http://10.0.0.2:8081"]);
  });

  test("the environment wins over the file, the file over the default, and an empty variable counts as not set", () => {
    const cwd = folderWith("[gateway]\nport = 9001\nhost = '::1'\n[node]\nslots = 3\n");
    const { config, origins } = readSettings({ GROUNDWIRE_PORT: "9002", GROUNDWIRE_NODE_SLOTS: "" }, cwd);
    expect([config.gateway.port, config.gateway.host, config.node.slots]).toEqual([9002, "::1", 3]);
    expect(origins.get("gateway.port")).toBe("environment");
    expect(origins.get("gateway.host")).toBe("file");
    expect(origins.get("cache.enabled")).toBe("default");
  });

  test("paths are resolved against the folder in which the process starts", () => {
    const cwd = folderWith();
    const config = loadConfig({ GROUNDWIRE_DATA_DIR: "kept", GROUNDWIRE_MODELS_DIR: "/models" }, cwd);
    expect([config.dataDir, config.models.dir]).toEqual([join(cwd, "kept"), "/models"]);
  });

  test("defaultConfig applies overrides at any depth and keeps the other defaults", () => {
    const config = defaultConfig({ node: { engine: "synthetic" }, gateway: { nodes: ["http://127.0.0.1:1"] } });
    expect(config.node.engine).toBe("synthetic");
    expect(config.node.slots).toBe(8);
    expect(config.gateway.nodes).toEqual(["http://127.0.0.1:1"]);
  });
});

describe("problems", () => {
  test("are all listed, each with the setting's name, its value and what was expected", () => {
    const problems = problemsOf(
      { GROUNDWIRE_PORT: "eighty", GROUNDWIRE_LOG_LEVEL: "loud", GROUNDWIRE_PUBLIC_URL: "ai.example.com" },
      folderWith("[node]\nslots = 0\n"),
    );
    expect(problems).toEqual([
      { path: "GROUNDWIRE_LOG_LEVEL", message: 'is "loud"; expected one of silent, error, warn, info, debug' },
      { path: "GROUNDWIRE_PORT", message: 'is "eighty"; expected a whole number from 0 to 65535' },
      {
        path: "GROUNDWIRE_PUBLIC_URL",
        message: 'is "ai.example.com"; expected an address that begins with http:// or https://',
      },
      { path: "node.slots in groundwire.toml", message: "is 0; expected a whole number from 1 to 1024" },
    ]);
  });

  test("include a flag whose value is a property name that every object inherits", () => {
    const [problem] = problemsOf({ GROUNDWIRE_CACHE: "constructor" }, folderWith());
    expect(problem).toMatchObject({ path: "GROUNDWIRE_CACHE", message: expect.stringContaining('is "constructor"') });
  });

  test("never contain the value of a secret", () => {
    const [problem] = problemsOf({ GROUNDWIRE_ADMIN_KEY: "hunter2" });
    expect(problem?.message).toBe("is a secret of 7 characters; expected 32 characters or more");
  });

  test("name the nearest setting for an unknown variable or key", () => {
    const problems = problemsOf({ GROUNDWIRE_PROT: "1" }, folderWith("[gateway]\nprot = 1\n[elsewhere]\nx = 1\n"));
    expect(problems.map(({ path }) => path)).toEqual([
      "gateway.prot in groundwire.toml",
      "elsewhere in groundwire.toml",
      "GROUNDWIRE_PROT",
    ]);
    expect(problems[0]?.message).toContain("did you mean gateway.port?");
    expect(problems[2]?.message).toContain("did you mean GROUNDWIRE_PORT?");
  });

  test("name the line of a syntax error in the TOML file", () => {
    const [problem] = problemsOf({}, folderWith("[gateway]\nport = = 1\n"));
    expect(problem).toMatchObject({ path: "groundwire.toml", line: 2 });
  });

  test("include a table in place of a value", () => {
    const [problem] = problemsOf({}, folderWith("[gateway.port]\nx = 1\n"));
    expect(problem?.message).toBe('is {"x":1}; expected a whole number from 0 to 65535');
  });

  test.each([
    ["Upstash Vector without its token", { UPSTASH_VECTOR_REST_URL: "https://x" }, ["UPSTASH_VECTOR_REST_TOKEN"]],
    ["a token without Upstash Vector", { UPSTASH_VECTOR_REST_TOKEN: "x" }, ["UPSTASH_VECTOR_REST_URL"]],
    ["a certificate without its key", { GROUNDWIRE_NODE_TLS_CERT: "a.pem" }, ["GROUNDWIRE_NODE_TLS_KEY"]],
    ["the openai engine without its address", { GROUNDWIRE_NODE_ENGINE: "openai" }, ["GROUNDWIRE_NODE_ENGINE_URL"]],
    [
      "the openai embedder without its address",
      { GROUNDWIRE_NODE_EMBEDDER: "openai" },
      ["GROUNDWIRE_NODE_EMBEDDER_URL"],
    ],
    [
      "a node beyond this machine without token and TLS",
      { GROUNDWIRE_NODE_HOST: "0.0.0.0" },
      ["GROUNDWIRE_NODE_TOKEN", "GROUNDWIRE_NODE_TLS_CERT"],
    ],
  ])("include %s", (_, env: Record<string, string>, paths) => {
    expect(problemsOf(env).map(({ path }) => path)).toEqual(paths);
  });
});

test("descriptions mask secrets and name each value's origin", () => {
  const views = describeSettings(readSettings({ GROUNDWIRE_ADMIN_KEY: "k".repeat(32) }, folderWith()));
  const view = (env: string) => views.find(({ setting }) => setting.env === env);
  expect(view("GROUNDWIRE_ADMIN_KEY")).toMatchObject({ value: "********", origin: "environment" });
  expect(view("GROUNDWIRE_PORT")).toMatchObject({ value: "8080", origin: "default" });
  expect(view("LIBSQL_URL")).toMatchObject({ value: "", origin: "default" });
});

describe("origins for CORS", () => {
  const problems = (value: string) => problemsOf({ GROUNDWIRE_CORS_ORIGINS: value });
  test.each([
    "*",
    "https://app.example.com",
    "http://localhost:5173",
    "http://[::1]:3000",
    "https://a.example, https://b.example",
    "chrome-extension://abcdefghijklmnop",
    "tauri://localhost",
    "",
  ])("%j is accepted", (value) => {
    expect(problems(value)).toEqual([]);
  });
  test.each([
    "app.example.com",
    "localhost:5173",
    "https://app.example.com/",
    "https://app.example.com/path",
    "https://",
    "https://a.example b.example",
    "https://user@a.example",
    "null",
    "https://*.example.com",
  ])("%j is rejected, and the error says what is accepted", (value) => {
    expect(problems(value)[0]?.message).toContain("origins such as https://app.example.com, without a path");
  });
});
