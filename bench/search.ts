import { Database } from "bun:sqlite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Search, SearchHit } from "../gateway/rag/search/search";
import { SearchThread } from "../gateway/rag/search/search-thread";
import { seededRandom } from "../tests/random";
import { median } from "./load";
import { CHUNKS_PER_DOCUMENT, DIMENSION, textOf, vectors, zipfWords } from "./search-data";

const CHUNKS = 100_000;
const QUERIES = 200;
const WARM_UP = 100;
const RECALL_QUERIES = 30;
const WORDS_PER_QUESTION = 10;
const CANDIDATES = 100;
const FILTERS = {
  none: null,
  "50%": { half: true },
  "1%": { percent: 7 },
} as const;
type FilterName = keyof typeof FILTERS;

/**
 * Measures searches of synthetic chunks in the Worker, from the gateway's thread and back. Options: the number of
 * chunks.
 */
export const search = async ([chunks = String(CHUNKS)]: string[]) => {
  const folder = await mkdtemp(join(tmpdir(), "search-"));
  const path = join(folder, "chunks.db");
  const data = Bun.spawn([process.execPath, join(import.meta.dir, "search-data.ts"), path, chunks], {
    stderr: "inherit",
  });
  if ((await data.exited) !== 0) throw new Error("The chunks could not be written.");
  const thread = new SearchThread(
    () => new Worker(new URL("./search-worker.ts", import.meta.url), { argv: [path], smol: true }),
  );
  try {
    return await measure(thread, path, Number(chunks));
  } finally {
    thread.close();
    await rm(folder, { recursive: true });
  }
};

const measure = async (thread: SearchThread, path: string, chunks: number) => {
  const version = { index: "idx_bench", version: 1, revision: chunks / CHUNKS_PER_DOCUMENT };
  Bun.gc(true);
  const rssBefore = process.memoryUsage.rss();
  const loadLag = watchLag();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  const loaded = await thread.load(version);
  const loadMs = performance.now() - startedAt;
  const loadCpuMs = cpuMsSince(cpuBefore);
  const loadLagMs = loadLag.stop();

  const questions = syntheticQuestions();
  const ask = (mode: Search["mode"], filter: FilterName, candidates = CANDIDATES) =>
    thread.search(version, {
      ...questions(),
      mode,
      candidates,
      filter: FILTERS[filter],
      fusion: { kind: "score", vectorWeight: 0.5 },
    });
  const searchLag = watchLag();
  for (let i = 0; i < WARM_UP; i++) await ask("hybrid", "none");
  const searches = [];
  for (const mode of ["vector", "keyword", "hybrid"] as const) {
    for (const filter of Object.keys(FILTERS) as FilterName[]) searches.push(await timed(mode, filter, ask));
  }
  // Before the garbage collection below, which blocks this thread too.
  const searchLagMs = searchLag.stop();
  Bun.gc(true);
  await Bun.sleep(1000); // The allocator returns unused memory with a delay.
  const rssMb = (process.memoryUsage.rss() - rssBefore) / 1e6;
  return {
    chunks: loaded.chunks,
    loadMs: Math.round(loadMs),
    loadCpuMs: Math.round(loadCpuMs),
    rssMb: Math.round(rssMb),
    maxLagMs: { load: Math.round(loadLagMs), searches: Math.round(searchLagMs) },
    searches,
    recallAt10: await recall(thread, version, path),
  };
};

type Ask = (mode: Search["mode"], filter: FilterName) => ReturnType<SearchThread["search"]>;

/**
 * Milliseconds from question to answer, the part of it that the Worker spent computing, and CPU time of the process per
 * search, which hardly depends on other load.
 */
const timed = async (mode: Search["mode"], filter: FilterName, ask: Ask) => {
  const totals: number[] = [];
  const computed: number[] = [];
  const cpuBefore = process.cpuUsage();
  for (let i = 0; i < QUERIES; i++) {
    const startedAt = performance.now();
    const { stagesMs } = await ask(mode, filter);
    totals.push(performance.now() - startedAt);
    computed.push(Object.values(stagesMs).reduce((sum, ms) => sum + ms, 0));
  }
  const cpuMs = cpuMsSince(cpuBefore) / QUERIES;
  totals.sort((a, b) => a - b);
  const rounded = (ms: number | undefined) => Number((ms ?? 0).toFixed(2));
  return {
    mode,
    filter,
    p50: rounded(median(totals)),
    p95: rounded(totals[Math.floor(QUERIES * 0.95)]),
    best: rounded(totals[0]),
    computedP50: rounded(median(computed)),
    cpuMs: rounded(cpuMs),
  };
};

const cpuMsSince = (before: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};

const syntheticQuestions = () => {
  const word = zipfWords(seededRandom(4));
  const nextVector = vectors(5);
  return () => ({ text: textOf(word, WORDS_PER_QUESTION), vector: nextVector() });
};

/** The fraction of the 10 closest chunks that are found, compared with a scan in double precision. */
const recall = async (thread: SearchThread, version: Parameters<SearchThread["load"]>[0], path: string) => {
  const database = new Database(path, { readonly: true });
  const rows = database.query("SELECT id, vector, half, percent FROM chunks ORDER BY rowid").all() as {
    id: string;
    vector: Uint8Array;
    half: number;
    percent: number;
  }[];
  const stored = rows.map((row) => ({ ...row, numbers: new Float32Array(row.vector.slice().buffer) }));
  database.close();
  const questions = syntheticQuestions();
  const recalls: Record<string, number> = {};
  for (const [name, filter] of Object.entries(FILTERS)) {
    const allowed = stored.filter(
      ({ half, percent }) => name === "none" || (name === "50%" ? half === 1 : percent === 7),
    );
    let found = 0;
    for (let i = 0; i < RECALL_QUERIES; i++) {
      const { text, vector } = questions();
      const exact = allowed.map(({ id, numbers }) => ({ id, score: dot(vector, numbers) }));
      const closest = new Set(
        exact
          .sort((a, b) => b.score - a.score)
          .slice(0, 10)
          .map(({ id }) => id),
      );
      const { hits } = await thread.search(version, {
        text,
        vector,
        mode: "vector",
        candidates: 10,
        filter,
        fusion: { kind: "rank" },
      });
      found += hits.filter(({ id }: SearchHit) => closest.has(id)).length;
    }
    recalls[name] = found / (RECALL_QUERIES * 10);
  }
  return recalls;
};

const dot = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < DIMENSION; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};

/** The longest time that this thread was blocked: the maximum delay of a 1 ms timer. */
const watchLag = () => {
  let last = performance.now();
  let longest = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last - 1);
    last = now;
  }, 1);
  return {
    stop: () => {
      clearInterval(timer);
      return longest;
    },
  };
};
