import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { sendAtRate } from "../../bench/open-loop";
import { residentMib } from "../../bench/processes";
import { percentiles } from "../../gateway/evals/statistics/percentiles";
import { blocksOf } from "../../lib/blocks";
import { alignColumns } from "../../lib/table";
import { ADMIN_KEY, type ServerProcess, Stack } from "../harness";
import { RagClient } from "../rag-client";
import { until } from "../until";
import type { HeapReport } from "./heap-report";
import { uploadQuestions } from "./upload-questions";

/**
 * Sends mixed traffic at half of the capacity, for 5 minutes: `bun run faults soak`; for 30 minutes:
 * `bun tests/faults/soak.ts 30`. Memory, open files, live objects and the write-ahead log must stay flat. Prints a line
 * per minute.
 */

const MINUTES = Number(process.argv[2] ?? 5);
const SLOTS = 8;
const TOKENS = 4;
const TOKEN_MS = 50;
/** Answers per second that the node can give. */
const CAPACITY = (SLOTS * 1000) / (TOKENS * TOKEN_MS);
/** Limits of the answer cache and the request log, so low that they are reached within minutes. */
const CACHE_BYTES = 1_048_576;
const LOG_ROWS = 5000;
/** The gateway deletes old rows of the request log this often. */
const LOG_CLEANED_S = 60;
const SAMPLE_MS = 5000;
/** How much each may grow in the later part of the run, and the maximum size of the write-ahead log. */
const LIMITS = { memoryMib: 10, files: 5, heapMib: 4, objects: 0.05, listeners: 100, walMib: 16 };
const MIB = 1_048_576;

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

/** Throws unless the response is a complete answer. */
const complete = async (response: Response): Promise<string> => {
  const text = await response.text();
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  if (!response.ok || (isStream && !text.endsWith("data: [DONE]\n\n"))) {
    throw new Error(`${new URL(response.url).pathname} returned ${response.status}: ${text.slice(0, 200)}`);
  }
  return text;
};

/** The kinds of requests, each with its number per 40 requests. */
const traffic = (stack: Stack, index: string, documents: readonly string[]) => {
  const rag = new RagClient(stack.url, ADMIN_KEY);
  const post = async (path: string, body: object): Promise<Json> =>
    JSON.parse(await complete(await stack.fetch(path, { body })));
  const question = (content: string = crypto.randomUUID()) => [{ role: "user", content }];
  const chat = "/v1/chat/completions";
  const kinds: [perForty: number, name: string, send: (n: number) => Promise<unknown>][] = [
    [8, "chat", () => post(chat, { messages: question() })],
    [7, "stream", async () => complete(await stack.fetch(chat, { body: { messages: question(), stream: true } }))],
    [1, "aborted stream", () => abandon(stack, chat, question())],
    [10, "cached chat", (n) => post(chat, { messages: question(`Question ${n % 20}?`), temperature: 0 })],
    [4, "embeddings", () => post("/v1/embeddings", { input: [crypto.randomUUID(), "text"] })],
    [2, "RAG answer", (n) => post("/v1/rag/query", { index, question: `${documents[n % 20]} ${crypto.randomUUID()}` })],
    [2, "RAG search", (n) => post("/v1/rag/query", { index, question: `${documents[n % 20]} ${n}`, generate: false })],
    [2, "probe", async () => complete(await stack.fetch("/readyz"))],
    [2, "metrics", async () => complete(await stack.fetch("/metrics"))],
    [
      2,
      "evaluation",
      (n) =>
        post("/v1/evaluate", {
          sample: { input: `${n}`, references: ["yes"], output: "yes" },
          evaluators: ["reference@1"],
        }),
    ],
  ];
  const plan = kinds.flatMap(([perForty, name, send]) => Array.from({ length: perForty }, () => ({ name, send })));
  /** Work for the jobs worker, at longer intervals. */
  const jobs: [everyS: number, name: string, send: (n: number) => Promise<unknown>][] = [
    [
      10,
      "upload",
      async (n) => {
        const samples = Array.from({ length: 200 }, (_, row) => ({ key: `k${row}`, input: `${n}: what is ${row}?` }));
        const { dataset } = await post("/v1/datasets", { name: `upload ${n}`, samples });
        await complete(await stack.fetch(`/v1/datasets/${dataset.id}`, { method: "DELETE" }));
      },
    ],
    [
      15,
      "document",
      async (n) => {
        await rag.addTexts(index, {
          title: "changing",
          source: "changing",
          text: `Version ${n}. ${documents.join(" ")}`,
        });
      },
    ],
    [
      20,
      "batch run",
      async (n) => {
        await post("/v1/batch-evals", {
          ...{ dataset: "numbers", target: { kind: "chat" }, evaluators: ["exact@1"], seed: n },
        });
      },
    ],
  ];
  return { plan, jobs };
};

/** Reads the beginning of a stream, then disconnects. */
const abandon = async (stack: Stack, path: string, messages: object): Promise<void> => {
  const abort = new AbortController();
  const response = await stack.fetch(path, { body: { messages, stream: true }, signal: abort.signal });
  await response.body?.getReader().read();
  abort.abort();
};

const PARTS = ["gateway", "node", "worker"] as const;
type Part = (typeof PARTS)[number];

interface Sample {
  seconds: number;
  memoryMib: Record<Part, number>;
  files: Record<Part, number>;
  walMib: number;
}

const each = <T>(value: (part: Part) => T): Record<Part, T> =>
  Object.fromEntries(PARTS.map((part) => [part, value(part)])) as Record<Part, T>;

/** The samples are divided into this many spans of time. */
const SPANS = 20;

/**
 * How much the floor of a quantity rises during the samples. The floor is the lowest value of each span: between
 * garbage collections, memory rises and falls by more than it may grow. The rise is computed from the median slope
 * between any two spans (the Theil–Sen estimator), so a few minutes in which other programs slow the machine don't
 * distort it.
 */
const riseOf = (samples: readonly Sample[], value: (sample: Sample) => number): number => {
  const length = Math.ceil(samples.length / SPANS);
  const floors = [...blocksOf(samples, length)].map((span) => Math.min(...span.map(value)));
  const slopes = floors.flatMap((floor, at) =>
    floors.slice(0, at).map((before, from) => (floor - before) / (at - from)),
  );
  return (percentiles(slopes, [0.5])[0] ?? 0) * (floors.length - 1);
};

const LISTENERS = ["Function", "AbortSignal", "Timeout"] as const;

const stack = await Stack.start({
  engine: "synthetic",
  workers: 1,
  env: {
    GROUNDWIRE_NODE_SLOTS: String(SLOTS),
    GROUNDWIRE_SYNTHETIC_FIRST_TOKEN_MS: String(TOKEN_MS),
    GROUNDWIRE_SYNTHETIC_TOKEN_MS: String(TOKEN_MS),
    GROUNDWIRE_SYNTHETIC_TOKENS: String(TOKENS),
    GROUNDWIRE_REQUESTS_PER_MINUTE: "10000000",
    GROUNDWIRE_PARALLEL_REQUESTS: "1000",
    GROUNDWIRE_CACHE_MAX_BYTES: String(CACHE_BYTES),
    GROUNDWIRE_REQUEST_LOG_ROWS: String(LOG_ROWS),
    GROUNDWIRE_LOG_LEVEL: "warn",
    BUN_OPTIONS: `--preload ${join(import.meta.dir, "heap-report.ts")}`,
  },
});
const database = createClient({ url: `file:${stack.folder}/data/groundwire.db` });
try {
  const processOf: Record<Part, ServerProcess> = {
    gateway: stack.gateway,
    node: stack.node,
    worker: stack.workers[0] ?? stack.gateway,
  };
  const look = (): Omit<Sample, "seconds"> => ({
    memoryMib: each((part) => residentMib(processOf[part].pid)),
    files: each((part) => readdirSync(`/proc/${processOf[part].pid}/fd`).length),
    walMib: statSync(`${stack.folder}/data/groundwire.db-wal`).size / MIB,
  });
  const logRows = async () => Number((await database.execute("SELECT count(*) FROM request_log")).rows[0]?.[0]);
  /** What is left on the heaps after a garbage collection. */
  const heaps = async (): Promise<Record<Part, HeapReport>> => {
    for (const part of PARTS) processOf[part].signal("SIGUSR2");
    await Bun.sleep(1000);
    const reports = PARTS.map((part) => Bun.file(`${stack.folder}/heap-${processOf[part].pid}.json`).json());
    const [gateway, node, worker] = await Promise.all(reports);
    return { gateway, node, worker };
  };

  const rag = new RagClient(stack.url, ADMIN_KEY);
  const documents = Array.from({ length: 20 }, (_, n) => `Rule ${n} of the handbook allows ${n} days of leave.`);
  const index = await rag.createIndex();
  await rag.addTexts(index, ...documents.map((text, n) => ({ title: `Rule ${n}`, source: `rule-${n}`, text })));
  await rag.settled(index);
  await uploadQuestions(stack.url, 20);

  const { plan, jobs } = traffic(stack, index, documents);
  const loggedBefore = PARTS.map((part) => processOf[part].output.length);
  const failures = new Map<string, number>();
  const count = (name: string, work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error) => {
        if (!failures.has(name)) console.log(`FAILED ${name}: ${error}`);
        failures.set(name, (failures.get(name) ?? 0) + 1);
      },
    );

  // Half of the requests need a slot: chats, streams, RAG answers and those of batch runs.
  const perSecond = CAPACITY;
  const totalS = MINUTES * 60;
  const samples: Sample[] = [];
  const rows: number[] = [];
  const startedAt = performance.now();
  const secondsNow = () => (performance.now() - startedAt) / 1000;
  let sent = 0;
  let lastPrinted = 0;
  let early: Record<Part, HeapReport> | undefined;
  const sample = async () => {
    const seconds = secondsNow();
    samples.push({ seconds, ...look() });
    // Well before the last two thirds, because the collection shrinks the processes.
    if (!early && seconds > totalS / 5) early = await heaps();
    if (seconds - lastPrinted < 60) return;
    lastPrinted += 60;
    rows.push(await logRows());
    const { memoryMib, files, walMib } = samples.at(-1) as Sample;
    const memory = PARTS.map((part) => `${part} ${memoryMib[part].toFixed(0)} MiB, ${files[part]} files`).join("; ");
    const logs = `write-ahead log ${walMib.toFixed(1)} MiB; ${rows.at(-1)} logged requests`;
    console.log(`${Math.round(seconds / 60)} min: ${sent} requests; ${memory}; ${logs}`);
  };
  let sampling = Promise.resolve();
  const timers = [
    setInterval(() => {
      sampling = sampling.then(sample);
    }, SAMPLE_MS),
    ...jobs.map(([everyS, name, send]) => {
      let n = 0;
      return setInterval(() => void count(name, send(n++)), everyS * 1000);
    }),
  ];
  const load = await sendAtRate(perSecond, totalS, (n) => {
    sent++;
    // Mixes the kinds: 17 and 40 have no common divisor, so every request of the plan gets its turn.
    const { name, send } = plan[(n * 17) % plan.length] as (typeof plan)[number];
    return count(name, send(n));
  });
  timers.forEach(clearInterval);
  await load.answers;
  await sampling;
  await until("the node is idle", async () => (await stack.nodeState()).slots.running === 0, 60_000);
  const late = await heaps();

  const last = samples.filter(({ seconds }) => seconds > totalS / 3);
  const claims: [what: string, measured: string, isKept: boolean][] = [];
  const claim = (what: string, measured: string, isKept: boolean) => claims.push([what, measured, isKept]);
  const failed = [...failures].map(([name, times]) => `${name} ${times}`).join(", ");
  claim("failed requests", failed || `0 of ${sent}`, failures.size === 0);
  for (const part of PARTS) {
    const values = last.map(({ memoryMib }) => memoryMib[part]);
    const [median = 0, most = 0] = percentiles(values, [0.5, 1]);
    const growth = riseOf(last, ({ memoryMib }) => memoryMib[part]);
    const range = `median ${median.toFixed(0)}, maximum ${most.toFixed(0)} MiB`;
    claim(`memory of the ${part}`, `${growth.toFixed(1)} MiB; ${range}`, growth < LIMITS.memoryMib);
  }
  for (const part of PARTS) {
    const growth = riseOf(last, ({ files }) => files[part]);
    const most = Math.max(...last.map(({ files }) => files[part]));
    claim(`open files of the ${part}`, `${growth.toFixed(1)}; maximum ${most}`, growth < LIMITS.files);
  }
  for (const part of PARTS) {
    const [before, after] = [early?.[part], late[part]];
    if (!before) throw new Error("The run was too short to compare heaps.");
    const mib = (after.heapBytes - before.heapBytes) / MIB;
    const share = after.objects / before.objects - 1;
    const size = `${(after.heapBytes / MIB).toFixed(1)} MiB, ${after.objects} objects`;
    claim(
      `live heap of the ${part}`,
      `${mib.toFixed(1)} MiB, ${(100 * share).toFixed(1)} %; at the end ${size}`,
      mib < LIMITS.heapMib && share < LIMITS.objects,
    );
    const grown = LISTENERS.map((type) => (after.types[type] ?? 0) - (before.types[type] ?? 0));
    const text = LISTENERS.map((type, at) => `${type} ${(grown[at] ?? 0) >= 0 ? "+" : ""}${grown[at]}`).join(", ");
    claim(
      `listeners and timers of the ${part}`,
      text,
      grown.every((more) => more < LIMITS.listeners),
    );
  }
  const wal = Math.max(...last.map(({ walMib }) => walMib));
  claim("write-ahead log", `at most ${wal.toFixed(1)} MiB`, wal < LIMITS.walMib);
  const maxRows = LOG_ROWS + 1.1 * LOG_CLEANED_S * perSecond;
  claim("logged requests", `at most ${Math.max(...rows)}`, Math.max(...rows) <= maxRows);
  const output = PARTS.map((part, at) => processOf[part].output.slice(loggedBefore[at]));
  const warnings = output.flatMap((text) => text.split("\n")).filter((line) => /Warning|"level":/.test(line));
  const firstWarning = warnings[0] ? `; first: ${warnings[0].slice(0, 150)}` : "";
  claim("warnings", `${warnings.length}${firstWarning}`, warnings.length === 0);
  console.log(
    alignColumns(claims.map(([what, measured, isKept]) => [isKept ? "kept" : "MISS", what, measured])).join("\n"),
  );
  process.exitCode = claims.every(([, , isKept]) => isKept) ? 0 : 1;
} finally {
  database.close();
  await stack.stop();
}
