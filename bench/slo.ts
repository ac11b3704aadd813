import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { percentiles } from "../gateway/evals/statistics/percentiles";
import { faultDomainOf } from "../gateway/metrics/fault-domain";
import { ERROR_KINDS, type ErrorKind } from "../lib/errors";
import { countProgress } from "../lib/progress";
import { round } from "../lib/round";
import { markdownTable } from "../lib/table";
import manifest from "../package.json";
import { ADMIN_KEY, Stack } from "../tests/harness";
import { RagClient } from "../tests/rag-client";
import { type Answer, CAPACITY_SETTINGS, chat, measureCapacity, SLOTS, send, TOKEN_MS, TOKENS } from "./capacity";
import { randomGap, sendAtRate } from "./open-loop";

const MINUTES = 10;
const LOAD = 0.7;
const CAPACITY_S = 20;
/** Requests of each kind on a stack without other load. */
const UNLOADED = 30;
const RANDOM_S = 60;
/** Documents of the index, and chunks of each. */
const DOCUMENTS = 200;
const PARTS = 12;
const CACHED_PROMPTS = 20;

const TARGETS = { availability: 0.999, addedMs: 5, cacheHitMs: 3, ttftRatio: 2, retrievalMs: 20 };

/** The kinds of requests. The first three need a slot on the node. */
const KINDS = ["chat", "stream", "RAG answer", "cached chat", "RAG search"] as const;
type Kind = (typeof KINDS)[number];
/** One round of requests, in this order. Five of the seven need the node. */
const ROUND: readonly Kind[] = ["stream", "cached chat", "chat", "stream", "RAG search", "chat", "RAG answer"];
const GENERATING = ROUND.filter((kind) => kind !== "cached chat" && kind !== "RAG search").length;

type Sent = Answer & { kind: Kind };

interface Conditions {
  minutes: number;
  capacityPerSecond: number;
  requestsPerSecond: number;
  requests: number;
  /** With random arrivals at the same rate. */
  randomTtftMsP95: number;
  /** Load averages of 1, 5 and 15 minutes. */
  loadBefore: readonly number[];
  loadAfter: readonly number[];
  at: string;
  version: string;
  bun: string;
  cpu: string;
  cores: number;
}

interface Row {
  slo: string;
  target: string;
  measured: string;
  isMet: boolean;
}

/**
 * The service level objectives under a steady 70 % of the measured capacity: `bun run bench slo [MINUTES]`. Writes
 * `results/slo.md` beside the JSON, and exits with 1 if an objective is missed.
 */
export const slo = async ([minutes = String(MINUTES)]: string[]) => {
  const loadBefore = loadavg();
  const stack = await Stack.start({ engine: "synthetic", workers: 1, env: CAPACITY_SETTINGS });
  try {
    const request = await prepare(stack);
    await measureCapacity(stack, CAPACITY_S / 2); // compiles the code
    const capacity = await measureCapacity(stack, CAPACITY_S);
    const unloaded: Sent[] = [];
    for (let n = 0; n < UNLOADED; n++) for (const kind of KINDS) unloaded.push(await request(kind, n));

    const perSecond = (LOAD * capacity * ROUND.length) / GENERATING;
    const seconds = Number(minutes) * 60;
    const progress = countProgress("slo", Math.floor(perSecond * seconds), "requests");
    const next = (n: number) => request(ROUND[n % ROUND.length] ?? "chat", n);
    const load = await sendAtRate(perSecond, seconds, (n) => {
      progress.step();
      return next(n);
    });
    const answers = await load.answers;
    const random = await sendAtRate(perSecond, Math.min(RANDOM_S, seconds), next, randomGap);

    const rows = judge(unloaded, answers);
    const randomTtft = quantileOf(ttfts(await random.answers), 0.95);
    const conditions: Conditions = {
      ...{ minutes: Number(minutes), capacityPerSecond: round(capacity, 1), requestsPerSecond: round(perSecond, 1) },
      ...{ requests: answers.length, randomTtftMsP95: round(randomTtft, 1), at: new Date().toISOString() },
      ...{ version: manifest.version, bun: Bun.version, cpu: cpus()[0]?.model ?? "unknown CPU", cores: cpus().length },
      ...{ loadBefore, loadAfter: loadavg() },
    };
    const details = Object.fromEntries(KINDS.map((kind) => [kind, summary(unloaded, answers, kind)]));
    await Bun.write(join(import.meta.dir, "results", "slo.md"), markdown(rows, conditions, details));
    if (!rows.every(({ isMet }) => isMet)) process.exitCode = 1;
    return { rows, conditions, details };
  } finally {
    await stack.stop();
  }
};

/** Fills an index and the cache. Returns a function that sends one request of a kind. */
const prepare = async (stack: Stack) => {
  const rag = new RagClient(stack.url, ADMIN_KEY);
  const index = await rag.createIndex();
  const topic = (n: number) => `Rule ${n % DOCUMENTS} of chapter ${n % 17}`;
  const part = (n: number, k: number) => `## Part ${k}\n\n${topic(n)}, part ${k}: it allows ${n} days of leave.`;
  const documents = Array.from({ length: DOCUMENTS }, (_, n) => ({
    ...{ title: topic(n), source: `rule-${n}` },
    text: Array.from({ length: PARTS }, (_, k) => part(n, k)).join("\n\n"),
  }));
  await rag.addTexts(index, ...documents);
  await rag.settled(index);
  let seed = 0; // keeps answers from coming from the cache
  const query = (n: number, body: object = {}) =>
    send(stack, "/v1/rag/query", { index, question: `What does ${topic(n)} allow?`, seed: seed++, ...body });
  const cached = (n: number) => chat(stack, { temperature: 0 }, `Question ${n % CACHED_PROMPTS}?`);
  for (let n = 0; n < CACHED_PROMPTS; n++) await cached(n);
  const senders: Record<Kind, (n: number) => Promise<Answer>> = {
    chat: () => chat(stack, {}),
    stream: () => chat(stack, { stream: true }),
    "cached chat": cached,
    "RAG answer": (n) => query(n),
    "RAG search": (n) => query(n, { generate: false }),
  };
  return async (kind: Kind, n: number): Promise<Sent> => ({ kind, ...(await senders[kind](n)) });
};

const quantileOf = (values: readonly number[], share: number): number => percentiles(values, [share])[0] ?? Number.NaN;
const durations = (answers: readonly Sent[], kind: Kind): number[] =>
  answers.filter((answer) => answer.kind === kind && answer.isComplete).map((a) => a.endedAt - a.startedAt);
const ttfts = (answers: readonly Sent[]): number[] =>
  answers.flatMap(({ firstTokenAt, startedAt }) => (firstTokenAt === undefined ? [] : [firstTokenAt - startedAt]));

/** Time that a whole answer spent outside the node: in the gateway, on the network and in this process. */
const addedMs = (answers: readonly Sent[]): number[] =>
  answers
    .filter(({ kind, isComplete }) => kind === "chat" && isComplete)
    .map(({ startedAt, endedAt, text }) => endedAt - startedAt - JSON.parse(text).timings.total_ms);

/** Whether the gateway caused a failure: an error of its own, or an answer that is cut off or missing. */
const isOurs = ({ isComplete, status, text }: Sent): boolean => {
  if (isComplete) return false;
  const code = /"code":"([a-z_]+)"/.exec(text)?.[1];
  if (status === 0 || code === undefined || !(code in ERROR_KINDS)) return true;
  return ["gateway", "unclassified"].includes(faultDomainOf(code as ErrorKind));
};

const judge = (unloaded: readonly Sent[], answers: readonly Sent[]): Row[] => {
  const available = answers.filter(({ isComplete }) => isComplete).length / answers.length;
  const ours = answers.filter(isOurs).length;
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  const p95 = (values: readonly number[]) => quantileOf(values, 0.95);
  const [added, hit, retrieval] = [
    addedMs(answers),
    durations(answers, "cached chat"),
    durations(answers, "RAG search"),
  ].map(p95) as [number, number, number];
  const [before, during] = [p95(ttfts(unloaded)), p95(ttfts(answers))];
  const ratio = during / before;
  const row = (slo: string, target: string, measured: string, isMet: boolean): Row => ({
    slo,
    target,
    measured,
    isMet,
  });
  return [
    row(
      "availability",
      `≥ ${100 * TARGETS.availability} %`,
      `${(100 * available).toFixed(3)} % of ${answers.length} requests`,
      available >= TARGETS.availability,
    ),
    row("errors of the gateway", "0", String(ours), ours === 0),
    row("added latency, p95", `< ${TARGETS.addedMs} ms`, ms(added), added < TARGETS.addedMs),
    row("cache hit, p95", `< ${TARGETS.cacheHitMs} ms`, ms(hit), hit < TARGETS.cacheHitMs),
    row(
      "time to first token, p95",
      `≤ ${TARGETS.ttftRatio} times its value without load`,
      `${ratio.toFixed(2)} times (${ms(during)}; ${ms(before)} without load)`,
      ratio <= TARGETS.ttftRatio,
    ),
    row("RAG retrieval, p95", `< ${TARGETS.retrievalMs} ms`, ms(retrieval), retrieval < TARGETS.retrievalMs),
  ];
};

const summary = (unloaded: readonly Sent[], answers: readonly Sent[], kind: Kind) => {
  const [p50, p95, p99, max] = percentiles(durations(answers, kind), [0.5, 0.95, 0.99, 1]).map((ms) => round(ms, 2));
  const sent = answers.filter((answer) => answer.kind === kind).length;
  return { sent, unloadedP50: round(quantileOf(durations(unloaded, kind), 0.5), 2), p50, p95, p99, max };
};

const average = (loads: readonly number[]): string => loads.map((load) => load.toFixed(1)).join(", ");

const markdown = (
  rows: readonly Row[],
  { minutes, capacityPerSecond, requestsPerSecond, requests, ...rest }: Conditions,
  details: Record<string, ReturnType<typeof summary>>,
): string => {
  const header = ["objective", "target", "measured", "result"];
  const cells = rows.map(({ slo, target, measured, isMet }) => [slo, target, measured, isMet ? "met" : "MISSED"]);
  const columns = { sent: "sent", unloadedP50: "p50 without load", p50: "p50", p95: "p95", p99: "p99", max: "maximum" };
  const times = Object.entries(details).map(([kind, each]) => [
    kind,
    ...Object.keys(columns).map((column) => String(each[column as keyof typeof each])),
  ]);
  return `# Report on the service level objectives

${markdownTable([header, ...cells]).join("\n")}

\`bun run bench slo\` on ${rest.at.slice(0, 10)}: Groundwire ${rest.version}, Bun ${rest.bun}, ${rest.cpu}, ${rest.cores} cores, load average
${average(rest.loadBefore)} before the start and ${average(rest.loadAfter)} at the end. The node has ${SLOTS} slots, and answers have ${TOKENS} tokens of ${TOKEN_MS} ms each: it gave ${capacityPerSecond} answers
per second at most. ${100 * LOAD} % of that were sent on a fixed schedule for ${minutes} minutes, with cached answers and searches in between: ${requestsPerSecond}
requests per second, ${requests} in total. The RAG index has ${DOCUMENTS * PARTS} chunks. With random arrivals at the same rate for a minute,
the time to first token was ${rest.randomTtftMsP95} ms at p95.

Milliseconds until the last byte, as the client sees them:

${markdownTable([["request", ...Object.values(columns)], ...times]).join("\n")}
`;
};
