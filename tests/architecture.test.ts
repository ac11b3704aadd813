import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** Imports follow the arrows of docs/architecture.md, the environment has one reader, and no file is too long to read. */
const ROOT = join(import.meta.dir, "..");
const MAX_SOURCE_LINES = 300;
/** Contracts and tests are lists, so they may be longer. */
const MAX_LIST_LINES = 500;

interface SourceFile {
  /** Relative to the project's root. */
  path: string;
  text: string;
  /** Files of ours by path without extension, packages by name. */
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
/** Wiring and processes. Only entry points import them. */
const ENTRIES = /^gateway\/(compose|gateway|main|cli\/)|^jobs\/(main|worker)$/;

interface Layer {
  name: string;
  holds: RegExp;
  /** Files of ours that it may import. */
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

describe("imports follow the arrows", () => {
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
    // Repeatedly removes files whose imports are all removed. Circles remain, with the files that import them.
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

  test("only the composition root names an adapter", () => {
    const isAdapter = (path: string) => path.startsWith("gateway/adapters/");
    const namers = SOURCES.filter(({ path, imports }) => !isAdapter(path) && imports.some(isAdapter));
    expect(namers.map(({ path }) => path)).toEqual(["gateway/compose.ts"]);
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
    "lib/settings.ts": "the one reader",
    "gateway/cli/start.ts": "hands the surroundings to the processes that it starts",
    "gpu-node/engine/openai/upstream.ts": "Bun's own limit on parallel requests, which is read by nothing else",
    "gpu-node/models/fetch-files.ts": "hands the surroundings to pip, so that its index and proxy are honoured",
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
