import { createClient } from "@libsql/client";
import { ADMIN_KEY, Stack } from "../harness";
import { RagClient } from "../rag-client";
import { until } from "../until";
import { LEFTOVERS, TORN } from "./rag-torn";

/**
 * Kills the gateway and the jobs worker with signal 9 at random moments while clients add, replace and delete
 * documents, build versions, switch between them, and read: `bun run faults`. `bun tests/faults/rag-kill-nine.ts 20`
 * for 20 kills.
 */

const SOURCES = 4;
const MAX_PARTS = 90;
const MIN_LIFE_MS = 50;
const MAX_LIFE_MS = 8000;
/** The longest life is at least this many times as long as a new worker needs to start and store a document. */
const STARTUPS_PER_LIFE = 4;

/** Which process is killed: the gateway, the worker, or both. */
const VICTIMS = [
  [true, false],
  [false, true],
  [true, true],
] as const;

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

interface RagKillReport {
  kills: number;
  /** Acknowledged by a response. */
  added: number;
  replaced: number;
  deleted: number;
  built: number;
  switched: number;
  indexesDeleted: number;
  /** Readings of a document, by a query or as its list of chunks. */
  readings: number;
  /** Requests that were repeated, because the process was dead or asked to retry. */
  repeated: number;
  /** Documents and versions that failed because three workers in a row were killed on them. */
  quarantined: number;
  /** Responses and states that a kill doesn't explain. */
  unexpected: string[];
  /** Partial, duplicated, lost or outdated documents that a reader saw. */
  seen: string[];
  /** Broken rules of the database, after a kill and at the end. */
  torn: string[];
  leftovers: number;
  integrity: string;
  brokenReferences: number;
}

interface Work {
  client: RagClient;
  report: RagKillReport;
  index: string;
  sources: Source[];
  isOver: boolean;
}

/** A document as its only writer knows it. */
interface Source {
  name: string;
  /** Id while it exists. */
  id: string | null;
  /** The newest generation that was sent. */
  sent: number;
  /** The newest generation that a reader has to see; null: no reader may rely on it now. */
  visible: number | null;
  /** Increases with every deletion that was sent. */
  deletions: number;
}

/** Every second part has no generation, so that its chunk keeps its vector. */
const textOf = ({ name }: Source, generation: number): string => {
  // Few are so long that they are stored in several steps.
  const parts = 2 + Math.floor(MAX_PARTS * Math.random() ** 3);
  const part = (n: number) =>
    `Alpha ${name} part${n}${n % 2 === 0 ? "" : ` gen${generation} of${parts}`} with words that fill the sentence.`;
  return Array.from({ length: parts }, (_, n) => part(n)).join("\n\n");
};

/** The generation of a whole document, "none" without chunks, or what is wrong with it. */
const generationOf = (texts: readonly string[]): number | "none" | string => {
  if (texts.length === 0) return "none";
  const text = texts.join("\n");
  const numbers = (word: string) => [...text.matchAll(new RegExp(`\\b${word}(\\d+)`, "g"))].map(([, n]) => Number(n));
  const [parts, generations, counts] = [numbers("part"), numbers("gen"), numbers("of")];
  if (new Set(generations).size > 1) return `mixed generations ${[...new Set(generations)]}`;
  const count = counts[0] ?? 0;
  const sorted = parts.toSorted((a, b) => a - b);
  const isWhole = sorted.length === count && sorted.every((n, at) => n === at);
  return isWhole ? (generations[0] ?? "no generation") : `parts ${sorted} of ${count}`;
};

/** Sends a request until it gets a response that doesn't ask to retry. */
const insist = async (
  { client, report }: Pick<Work, "client" | "report">,
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; body: Json }> => {
  const headers = method === "POST" ? { "idempotency-key": crypto.randomUUID() } : undefined;
  for (;;) {
    const reply = await client.send(method, `/v1/rag/indexes${path}`, body, headers).catch(() => undefined);
    const isBusy = reply?.status === 409 && reply.body.error.message.includes("still running");
    if (reply && reply.status < 500 && !isBusy) return reply;
    if (reply && reply.status !== 503 && !isBusy) report.unexpected.push(`${method} ${path}: ${JSON.stringify(reply)}`);
    report.repeated++;
    await Bun.sleep(20);
  }
};

const expectStatus = (
  { report }: Pick<Work, "report">,
  what: string,
  reply: { status: number; body: Json },
  ...allowed: number[]
): boolean => {
  if (allowed.includes(reply.status)) return true;
  report.unexpected.push(`${what}: ${reply.status} ${JSON.stringify(reply.body)}`);
  return false;
};

/** Waits until the newest content of a document is visible. One whose workers were killed is tried again. */
const settle = async (work: Work, source: Source): Promise<void> => {
  const path = `/${work.index}/documents/${source.id}`;
  for (;;) {
    const reply = await insist(work, "GET", path);
    if (!expectStatus(work, `a document of ${source.name}`, reply, 200)) return;
    const { state, error } = reply.body;
    if (state === "ready") break;
    if (state === "failed") {
      if (!error.message.includes("workers died")) work.report.unexpected.push(`${source.name}: ${error.message}`);
      work.report.quarantined++;
      expectStatus(work, "a retry", await insist(work, "POST", `${path}/retry`), 202, 409);
    }
    await Bun.sleep(20);
  }
  source.visible = source.sent;
};

const write = async (work: Work, source: Source): Promise<void> => {
  const { report, index } = work;
  if (source.id !== null && Math.random() < 0.2) {
    source.visible = null;
    source.deletions++;
    // 404: an earlier try was not answered, but has deleted it.
    expectStatus(work, "a deletion", await insist(work, "DELETE", `/${index}/documents/${source.id}`), 204, 404);
    report.deleted++;
    expectStatus(work, "a deleted document", await insist(work, "GET", `/${index}/documents/${source.id}`), 404);
    source.id = null;
    return;
  }
  await send(work, source);
  // Otherwise it is replaced or deleted while it is read.
  if (Math.random() < 0.6) await settle(work, source);
};

/** Adds a document, or replaces it. */
const send = async (work: Work, source: Source): Promise<void> => {
  const { report, index } = work;
  source.sent++;
  const metadata = { source: source.name };
  const document = { text: textOf(source, source.sent), source: source.name, title: source.name, metadata };
  const reply = await insist(work, "POST", `/${index}/documents`, { documents: [document] });
  if (!expectStatus(work, "an upload", reply, 202)) return;
  const [{ id, outcome }] = reply.body.documents;
  report[outcome === "added" ? "added" : "replaced"]++;
  if (source.id !== null && source.id !== id) report.unexpected.push(`${source.name} was added twice: ${id}`);
  source.id = id;
};

const writer = async (work: Work, source: Source): Promise<void> => {
  while (!work.isOver) await write(work, source);
  if (source.id !== null) await settle(work, source);
};

/** Builds versions and switches to them, or back to an earlier one. */
const switcher = async (work: Work): Promise<void> => {
  const { report, index } = work;
  while (!work.isOver) {
    const chunking = { chunk_tokens: 24 + Math.floor(Math.random() * 40), overlap_tokens: 0 };
    const reply = await insist(work, "POST", `/${index}/versions`, { chunking });
    if (!expectStatus(work, "a build", reply, 202, 409)) continue;
    let versions: Json[];
    do {
      await Bun.sleep(200);
      versions = (await insist(work, "GET", `/${index}/versions`)).body.data;
    } while (versions.some(({ state }) => state === "building"));
    if (reply.status === 202) report.built++;
    if (versions[0].state === "failed") {
      report.quarantined++;
      const { message } = versions[0].error;
      if (!message.includes("workers died")) report.unexpected.push(`a version: ${message}`);
    }
    const ready = versions.filter(({ state }) => state === "ready");
    const chosen = ready[Math.floor(Math.random() * ready.length)];
    if (!chosen) continue;
    const path = `/${index}/versions/${chosen.version}/activate`;
    if (!expectStatus(work, "a switch", await insist(work, "POST", path), 200)) continue;
    report.switched++;
    const { body } = await insist(work, "GET", `/${index}`);
    if (body.active.version !== chosen.version) report.seen.push(`the switch to ${chosen.version} is lost`);
  }
};

/** Creates an index, adds documents and deletes it, ready or not. */
const remover = async (work: Work): Promise<void> => {
  while (!work.isOver) {
    const made = await insist(work, "POST", "", { name: crypto.randomUUID() });
    if (!expectStatus(work, "an index", made, 201)) continue;
    const { id } = made.body;
    const source = { name: "doomed", id: null, sent: 1, visible: null, deletions: 0 };
    const documents = Array.from({ length: 2 }, () => ({ text: textOf(source, 1) }));
    expectStatus(work, "an upload", await insist(work, "POST", `/${id}/documents`, { documents }), 202);
    await Bun.sleep(Math.random() * 1000);
    expectStatus(work, "a deletion", await insist(work, "DELETE", `/${id}`), 204, 404);
    expectStatus(work, "a deleted index", await insist(work, "GET", `/${id}`), 404);
    work.report.indexesDeleted++;
  }
};

const readByQuery = async ({ client, index }: Work, { name }: Source): Promise<string[] | undefined> => {
  const body = {
    index,
    question: "alpha",
    generate: false,
    filter: { source: name },
    retrieval: { mode: "keyword", candidates: 1000, top_k: 100 },
  };
  const reply = await client.send("POST", "/v1/rag/query", body, { "cache-control": "no-store" });
  return reply.status === 200 ? reply.body.chunks.map(({ text }: Json) => text) : undefined;
};

const readChunks = async ({ client, index }: Work, { id }: Source): Promise<string[] | undefined> => {
  if (id === null) return undefined;
  const reply = await client.send("GET", `/v1/rag/indexes/${index}/documents/${id}/chunks?limit=100`);
  return reply.status === 200 ? reply.body.data.map(({ text }: Json) => text) : undefined;
};

/** Reads a document and compares it with what its writer knew before and after. */
const read = async (work: Work, source: Source, how: typeof readByQuery): Promise<void> => {
  const { visible, deletions, id } = source;
  const texts = await how(work, source).catch(() => undefined);
  if (!texts) return;
  work.report.readings++;
  const generation = generationOf(texts);
  const wrong = (problem: string) => work.report.seen.push(`${source.name} by ${how.name}: ${problem}`);
  if (typeof generation === "number") {
    if (generation < (visible ?? 0) || generation > source.sent)
      wrong(`${generation}, not ${visible} to ${source.sent}`);
  } else if (generation !== "none") wrong(generation);
  else if (visible !== null && deletions === source.deletions && id === source.id) wrong(`lost, not ${visible}`);
};

const reader = async (work: Work): Promise<void> => {
  while (!work.isOver) {
    for (const source of work.sources) {
      await read(work, source, readByQuery);
      await read(work, source, readChunks);
    }
    await Bun.sleep(20);
  }
};

const inspect = async (stack: Stack, { torn }: RagKillReport, when: string): Promise<void> => {
  const database = createClient({ url: `file:${stack.folder}/data/groundwire.db` });
  for (const [rule, sql] of Object.entries(TORN)) {
    for (const row of (await database.execute(sql)).rows) torn.push(`${when}: ${rule}: ${row[0]}`);
  }
  database.close();
};

const inspectAtEnd = async (stack: Stack, work: Work): Promise<void> => {
  const { report, sources } = work;
  const database = createClient({ url: `file:${stack.folder}/data/groundwire.db` });
  const value = async (sql: string) => (await database.execute(sql)).rows[0]?.[0];
  const leftovers = async () => Number(await value(LEFTOVERS));
  await until("leftovers are deleted", async () => (await leftovers()) === 0, 150_000).catch(() => undefined);
  report.leftovers = await leftovers();
  report.integrity = String(await value("PRAGMA integrity_check"));
  report.brokenReferences = (await database.execute("PRAGMA foreign_key_check")).rows.length;
  database.close();
  await inspect(stack, report, "at the end");
  for (const source of sources) {
    const expected = source.id === null ? "none" : source.sent;
    for (const how of [readByQuery, readChunks]) {
      const generation = generationOf((await how(work, source)) ?? []);
      if (generation !== expected) report.seen.push(`${source.name} at the end: ${generation}, not ${expected}`);
    }
  }
};

/** Stops early after `maxMs`. */
const ragKillNine = async (
  kills: number,
  { onKill = () => {}, maxMs = 1_800_000 }: { onKill?: (done: number) => void; maxMs?: number } = {},
): Promise<RagKillReport> => {
  const endMs = performance.now() + maxMs;
  const env = { GROUNDWIRE_JOBS_LEASE_MS: "1500", GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000" };
  const stack = await Stack.start({ engine: "synthetic", workers: 1, env });
  const counts = { added: 0, replaced: 0, deleted: 0, built: 0, switched: 0, indexesDeleted: 0, readings: 0 };
  const faults = { repeated: 0, quarantined: 0, unexpected: [], seen: [], torn: [] };
  const report: RagKillReport = { kills: 0, ...counts, ...faults, leftovers: 0, integrity: "", brokenReferences: 0 };
  try {
    const client = new RagClient(stack.url, ADMIN_KEY);
    const chunking = { chunk_tokens: 32, overlap_tokens: 0 };
    const index = await client.createIndex({ chunking, retrieval: { threshold: null } });
    const newSource = (n: number): Source => {
      return { name: `source${n}`, id: null, sent: 0, visible: null, deletions: 0 };
    };
    const first = newSource(0);
    const sources = [first, ...Array.from({ length: SOURCES - 1 }, (_, n) => newSource(n + 1))];
    const work: Work = { client, report, index, sources, isOver: false };
    const startedAt = performance.now();
    await stack.replaceWorker();
    await send(work, first);
    await settle(work, first);
    const maxLifeMs = Math.max(MAX_LIFE_MS, STARTUPS_PER_LIFE * (performance.now() - startedAt));
    /**
     * Milliseconds from a start to the next kill. Log-uniform, so half of them are below a tenth of the maximum; uniform
     * while fewer documents than kills were written, as on a machine that is busy with other work.
     */
    const lifeMs = () =>
      report.added + report.replaced < report.kills
        ? MIN_LIFE_MS + (maxLifeMs - MIN_LIFE_MS) * Math.random()
        : MIN_LIFE_MS * (maxLifeMs / MIN_LIFE_MS) ** Math.random();
    const clients = [...sources.map((source) => writer(work, source)), switcher(work), remover(work), reader(work)];
    while (report.kills < kills && performance.now() < endMs) {
      await Bun.sleep(lifeMs());
      const [gateway, worker] = VICTIMS[Math.floor(Math.random() * VICTIMS.length)] ?? [true, true];
      if (gateway) stack.gateway.signal("SIGKILL");
      if (worker) stack.workers[0]?.signal("SIGKILL");
      await inspect(stack, report, `after kill ${report.kills}`);
      if (gateway) await stack.restartGateway();
      if (worker) await stack.replaceWorker();
      onKill(++report.kills);
    }
    work.isOver = true;
    await Promise.all(clients);
    await inspectAtEnd(stack, work);
    return report;
  } finally {
    await stack.stop();
  }
};

/** The guarantees that a report violates. */
const brokenBy = (report: RagKillReport): string[] => {
  const { kills, added, replaced, deleted, switched, readings, unexpected, seen, torn, leftovers } = report;
  const claims: [claim: string, isKept: boolean][] = [
    ["no reader sees partial, duplicated, lost or outdated documents", seen.length === 0],
    ["the database keeps its rules", torn.length === 0],
    ["nothing is left over", leftovers === 0],
    ["the database file is intact", report.integrity === "ok" && report.brokenReferences === 0],
    ["every other response asks to retry", unexpected.length === 0],
    [
      "enough was done",
      added + replaced >= kills && deleted >= kills / 20 && switched >= kills / 20 && readings >= kills,
    ],
  ];
  return claims.filter(([, isKept]) => !isKept).map(([claim]) => claim);
};

if (import.meta.main) {
  const kills = Number(process.argv[2] ?? 100);
  const onKill = (done: number) => done % 10 === 0 && console.log(`${done} of ${kills} kills`);
  const report = await ragKillNine(kills, { onKill });
  console.log(JSON.stringify(report, null, 2));
  const broken = brokenBy(report);
  console.log(broken.length === 0 ? "every guarantee is kept" : `broken: ${broken.join("; ")}`);
  process.exit(broken.length === 0 ? 0 : 1);
}
