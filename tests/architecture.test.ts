import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/* Checks that imports follow docs/architecture.md, only one file reads the environment, and no file is too long. */
const ROOT = join(import.meta.dir, "..");
const MAX_SOURCE_LINES = 300;
/** Maximum length of contracts and tests, which may be longer because they are lists. */
const MAX_LIST_LINES = 500;

interface SourceFile {
  /** Path relative to the project's root. */
  path: string;
  text: string;
  /** The project's own files by path without extension, packages by name. */
  imports: string[];
}

const IMPORT = /(?:^|[\s;])(?:import|export)\s(?:[^"';]*?\sfrom\s*)?"([^"]+)"|\bimport\(\s*"([^"]+)"/g;

const readSource = (path: string): SourceFile => {
  const text = readFileSync(join(ROOT, path), "utf8");
  const imports = [...text.matchAll(IMPORT)].map(([, plain, dynamic]) => {
    const name = plain ?? dynamic ?? "";
    return name.startsWith(".") ? normalize(join(dirname(path), name)) : name;
  });
  return { path, text, imports };
};

const FOLDERS = "{bench,db,gateway,gpu-node,jobs,lib,tests,views}";
const ALL = [...new Bun.Glob(`${FOLDERS}/**/*.{ts,tsx}`).scanSync(ROOT)].sort().map(readSource);
/** Production code. Tests and benchmarks may import everything. */
const SOURCES = ALL.filter(({ path }) => !/(\.test|\.contract|\.browser|\.d)\.tsx?$|^tests\/|^bench\//.test(path));

const OURS = /^(bench|db|gateway|gpu-node|jobs|lib|tests|views)\//;
/** Files that wire the parts together and run processes. Only entry points import them. */
const ENTRIES = /^gateway\/(compose|gateway|main|cli\/)|^jobs\/(main|worker)$/;

interface Layer {
  name: string;
  holds: RegExp;
  /** Files of the project that the layer may import. */
  mayImport: RegExp;
}

/** A file belongs to the first layer that matches it. */
const LAYERS: readonly Layer[] = [
  { name: "lib", holds: /^lib\//, mayImport: /^lib\// },
  { name: "db", holds: /^db\//, mayImport: /^(db|lib)\// },
  { name: "the GPU node", holds: /^gpu-node\//, mayImport: /^(gpu-node|lib)\// },
  {
    name: "gateway/ports",
    holds: /^gateway\/ports\//,
    mayImport: /^lib\/|^gpu-node\/protocol$|^gateway\/(ports\/|contract$|.*\/contract$)/,
  },
  {
    name: "gateway/adapters",
    holds: /^gateway\/adapters\//,
    mayImport: /^lib\/|^gpu-node\/protocol$|^gateway\/(adapters|ports)\//,
  },
  { name: "wiring", holds: ENTRIES, mayImport: /^(gateway|gpu-node|jobs|db|lib)\// },
  { name: "the app", holds: /^gateway\/app$/, mayImport: /^lib\/|^views\/|^gateway\/(?!adapters\/)/ },
  {
    name: "gateway/http",
    holds: /^gateway\/http\//,
    mayImport: /^lib\/|^gateway\/((http|ports|validation)\/|[^/]+$)/,
  },
  {
    name: "routes of the gateway",
    holds: /^gateway\/(?:[^/]+\/){1,2}routes$/,
    mayImport: /^(lib|db)\/|^gpu-node\/protocol$|^gateway\/(?!adapters\/)/,
  },
  {
    name: "a feature of the gateway",
    holds: /^gateway\//,
    mayImport: /^(lib|db)\/|^gpu-node\/protocol$|^gateway\/(?!adapters\/|http\/)/,
  },
  { name: "views", holds: /^views\//, mayImport: /^(views|lib)\/|^gateway\/(?!adapters\/)/ },
  { name: "jobs", holds: /^jobs\//, mayImport: /^(jobs|db|lib)\/|^gateway\/(?!adapters\/)/ },
];

/** `gateway/chat` for all files in it. A file next to the feature folders, such as `gateway/call`, is its own unit. */
const featureOf = (path: string) => withoutExtension(path.split("/").slice(0, 2).join("/"));

const withoutExtension = (path: string) => path.replace(/\.tsx?$/, "");

describe("imports follow the architecture", () => {
  test("each file imports only what its layer may", () => {
    const wrong: string[] = [];
    for (const { path, imports } of SOURCES) {
      const name = withoutExtension(path);
      const layer = LAYERS.find(({ holds }) => holds.test(name));
      for (const target of imports.filter((imported) => OURS.test(imported))) {
        const isAllowed = layer?.mayImport.test(target) && (ENTRIES.test(name) || !ENTRIES.test(target));
        if (!isAllowed) wrong.push(`${path} (${layer?.name ?? "no layer"}) imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("no files import each other in a circle", () => {
    const left = new Map(SOURCES.map(({ path, imports }) => [withoutExtension(path), imports]));
    const isFree = (imports: string[]) => !imports.some((target) => left.has(target));
    // Repeatedly removes files whose imports are all removed. Only circles and files that import them remain.
    for (let before = -1; before !== left.size; ) {
      before = left.size;
      for (const [name, imports] of left) if (isFree(imports)) left.delete(name);
    }
    expect([...left.keys()]).toEqual([]);
  });

  test("feature folders don't import each other in a circle, not even types", () => {
    const imports = new Map<string, Map<string, string>>();
    for (const { path, imports: targets } of SOURCES) {
      const from = featureOf(path);
      const found = imports.getOrInsertComputed(from, () => new Map());
      for (const target of targets.filter((name) => OURS.test(name))) {
        const to = featureOf(target);
        if (to !== from && !found.has(to)) found.set(to, `${path} imports ${target}`);
      }
    }
    const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
      [...(imports.get(from)?.keys() ?? [])].some(
        (next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))),
      );
    const inCircles = [...imports].flatMap(([from, found]) =>
      [...found].filter(([to]) => reaches(to, from)).map(([to, example]) => `${from} -> ${to}: ${example}`),
    );
    expect(inCircles).toEqual([]);
  });

  test("only the composition roots of gateway and worker name adapters", () => {
    const isAdapter = (path: string) => path.startsWith("gateway/adapters/");
    const namers = SOURCES.filter(({ path, imports }) => !isAdapter(path) && imports.some(isAdapter));
    expect(namers.map(({ path }) => path)).toEqual(["gateway/compose.ts", "jobs/worker.ts"]);
  });

  test("each package that reaches outside the process is used in one place", () => {
    const homes: [name: string, home: RegExp][] = [
      ["@libsql/client", /^db\//],
      ["drizzle-orm", /^db\//],
      ["@upstash/vector", /^gateway\/adapters\//],
      ["ioredis", /^gateway\/(adapters|cli)\//],
      ["node-llama-cpp", /^gpu-node\/engine\//],
      ["node:http2", /^(gpu-node|gateway\/adapters)\//],
      ["smol-toml", /^lib\/settings/],
      ["elysia", /^(gateway|views)\//],
      ["hono", /^views\//],
      ["@opentelemetry", /^lib\/tracing\//],
      ["openai", /^$/],
    ];
    const wrong = SOURCES.flatMap(({ path, imports }) =>
      homes
        .filter(
          ([name, home]) =>
            !home.test(path) && imports.some((target) => target === name || target.startsWith(`${name}/`)),
        )
        .map(([name]) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });
});

test("the environment is read in one place", () => {
  const mayReadIt: Record<string, string> = {
    "lib/settings.ts": "reads the settings",
    "gateway/cli/start.ts": "passes the environment to the processes that it starts",
    "gateway/cli/supply-chain/checks.ts": "passes the environment to the tools that it runs",
    "gpu-node/engine/openai/upstream.ts": "reads Bun's own limit on parallel requests",
    "gpu-node/models/fetch-files.ts": "passes the environment to pip, which reads its index and proxy from there",
  };
  const readers = SOURCES.filter(({ text }) => /process\.env|Bun\.env|import\.meta\.env/.test(text)).map(
    ({ path }) => path,
  );
  expect(readers.filter((path) => !(path in mayReadIt))).toEqual([]);
});

test(`a source has at most ${MAX_SOURCE_LINES} lines, a contract or a test ${MAX_LIST_LINES}`, () => {
  const isList = (path: string) => /contract\.ts$|\.(test|browser)\.tsx?$|^tests\//.test(path);
  const long = ALL.filter(({ path, text }) => {
    const lines = text.split("\n").length - 1;
    return lines > (isList(path) ? MAX_LIST_LINES : MAX_SOURCE_LINES);
  });
  expect(long.map(({ path }) => path)).toEqual([]);
});

// Bun 1.4.5 runs the event loop inside the matcher `resolves`, and then takes about 100 ms for each `setImmediate`.
test("tests await promises instead of using the matcher `resolves`, which is slow", () => {
  const waiting = ALL.filter(
    ({ path, text }) => /\.(test|browser)\.tsx?$/.test(path) && /\)\s*\.resolves\b/.test(text),
  );
  expect(waiting.map(({ path }) => path)).toEqual([]);
});

// light-dark() only accepts colours, so the browser tests run the rules that don't depend on colours in one theme only.
test("the themes differ only in their colours", async () => {
  const sheets = await Array.fromAsync(new Bun.Glob("views/**/*.css").scan({ cwd: ROOT }));
  const texts = await Promise.all(
    sheets.map(async (path) => ({ path, text: await Bun.file(join(ROOT, path)).text() })),
  );
  expect(texts.length).toBeGreaterThan(10);
  const dependent = texts.filter(({ text }) => /prefers-color-scheme|@media[^{]*\bcolor-scheme/.test(text));
  expect(dependent.map(({ path }) => path)).toEqual([]);
  const rules = texts.flatMap(({ text }) => text.match(/[^{}]*\[data-theme[^{}]*\{[^}]*\}/g) ?? []);
  expect(rules.map((rule) => rule.replace(/\s+/g, " ").trim())).toEqual([
    ':root[data-theme="light"] { color-scheme: light; }',
    ':root[data-theme="dark"] { color-scheme: dark; }',
  ]);
});
