import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { blocksOf } from "../../lib/blocks";
import { ADMIN_KEY, Stack } from "../harness";
import { until } from "../until";

/**
 * Kills the gateway and the jobs worker with signal 9 at random moments while clients upload datasets and evaluate
 * answers: `bun run faults`. Every response that a client got is recorded outside the database, and the database must
 * contain it at the end. Unacknowledged work is stored whole or not at all. `bun tests/faults/kill-nine.ts 200`.
 */

const UPLOADERS = 2;
const EVALUATORS = 3;
/**
 * Milliseconds from a start to the next kill. Log-uniform, so that half of them are below a tenth of the maximum. On a slow
 * machine, the maximum is several times as long as an upload, or none would ever be acknowledged.
 */
const MIN_LIFE_MS = 50;
const MAX_LIFE_MS = 5000;
const UPLOADS_PER_LIFE = 4;
/** Maximum attempts to get one more acknowledgement after the last kill. An upload whose workers died is rejected. */
const LAST_TRIES = 5;
const PARALLEL_CHECKS = 16;

/** Which process is killed: the gateway, the worker, or both. */
const VICTIMS = [
  [true, false],
  [false, true],
  [true, true],
] as const;

type Json = Record<string, unknown>;

interface Acknowledged {
  kind: "dataset" | "run";
  id: string;
  /** Hash of the revision, or the answer's score. */
  holds: unknown;
}

export interface KillReport {
  kills: number;
  datasets: number;
  runs: number;
  /** Requests without a response because the process was dead. */
  unanswered: number;
  /** Requests for which the gateway asked to retry: 409 or 503. */
  refused: number;
  /** Uploads quarantined because three workers in a row were killed, which happens with this many kills. */
  quarantined: number;
  /** All other errors, which a kill does not explain. */
  unexpected: string[];
  /** Acknowledged work that is missing or different. */
  lost: string[];
  /** Partly stored work. */
  torn: string[];
  /** Number of uploads of finished jobs and of pieces without an upload. */
  leftovers: number;
  integrity: string;
  brokenReferences: number;
}

/** Records each acknowledgement on disk before the next request, so that no later kill can lose it. */
class Ledger {
  readonly #file: number;
  constructor(private readonly path: string) {
    this.#file = openSync(path, "a");
  }
  write(entry: Acknowledged): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`);
    fsyncSync(this.#file);
  }
  read(): Acknowledged[] {
    closeSync(this.#file);
    return readFileSync(this.path, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }
}

const headers = { authorization: `Bearer ${ADMIN_KEY}` };
const post = async (stack: Stack, path: string, body: FormData | Json): Promise<{ status: number; body: Json }> => {
  const isForm = body instanceof FormData;
  const response = await fetch(stack.url + path, {
    method: "POST",
    headers: isForm ? headers : { ...headers, "content-type": "application/json" },
    body: isForm ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
};

/** A response without an acknowledgement. */
class Refused extends Error {
  constructor(
    readonly status: number,
    override readonly message: string,
  ) {
    super(message);
  }
}

const refusedBy = ({ status, body }: { status: number; body: Json }): Refused => {
  const { error } = body as { error?: { message?: string } };
  return new Refused(status, `${status} ${error?.message}`);
};

const uploadOnce = async (stack: Stack, name: string): Promise<Acknowledged> => {
  const rows = 200 + Math.floor(Math.random() * 2000);
  const lines = Array.from({ length: rows }, (_, n) => `{"key":"k${n}","input":"${name}: what is ${n}?"}\n`);
  const form = new FormData();
  form.append("name", name);
  form.append("file", new File(lines, "samples.jsonl"));
  const answer = await post(stack, "/v1/datasets", form);
  if (answer.status !== 201) throw refusedBy(answer);
  const { id, latest } = answer.body.dataset as { id: string; latest: { hash: string; samples: number } };
  return { kind: "dataset", id, holds: { hash: latest.hash, samples: latest.samples } };
};

const evaluateOnce = async (stack: Stack, name: string): Promise<Acknowledged> => {
  const sample = { input: name, references: [name], output: `It is ${name}.` };
  const answer = await post(stack, "/v1/evaluate", { sample, name, evaluators: ["reference@1"] });
  if (answer.status !== 201) throw refusedBy(answer);
  const { run, result } = answer.body as { run: { id: string }; result: { id: string; scores: { value: number }[] } };
  return { kind: "run", id: run.id, holds: { result: result.id, values: result.scores.map(({ value }) => value) } };
};

type Counts = Pick<KillReport, "unanswered" | "refused" | "quarantined" | "unexpected">;

const note = (counts: Counts, thrown: unknown): void => {
  if (!(thrown instanceof Refused)) counts.unanswered += 1;
  else if (thrown.status === 503 || thrown.status === 409) counts.refused += 1;
  else if (thrown.status === 500 && thrown.message.includes("workers died")) counts.quarantined += 1;
  else counts.unexpected.push(thrown.message);
};

/** Sends requests until the kills are over and one more is acknowledged. A failed request is retried with a new name. */
const client = async (
  work: (name: string) => Promise<Acknowledged>,
  ledger: Ledger,
  state: { isOver: boolean; counts: Counts },
): Promise<void> => {
  for (let tries = LAST_TRIES; tries > 0; ) {
    const isLast = state.isOver;
    if (isLast) tries--;
    try {
      ledger.write(await work(crypto.randomUUID()));
      if (isLast) return;
    } catch (thrown) {
      note(state.counts, thrown);
      await Bun.sleep(20);
    }
  }
};

export const killNine = async (kills: number, onKill: (done: number) => void = () => {}): Promise<KillReport> => {
  const stack = await Stack.start({
    engine: "synthetic",
    workers: 1,
    env: { GROUNDWIRE_JOBS_LEASE_MS: "1500", GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000" },
  });
  try {
    const ledger = new Ledger(join(stack.folder, "acknowledged.jsonl"));
    const startedAt = performance.now();
    ledger.write(await uploadOnce(stack, "first"));
    const maxLifeMs = Math.max(MAX_LIFE_MS, UPLOADS_PER_LIFE * (performance.now() - startedAt));
    const lifeMs = () => MIN_LIFE_MS * (maxLifeMs / MIN_LIFE_MS) ** Math.random();
    const counts: Counts = { unanswered: 0, refused: 0, quarantined: 0, unexpected: [] };
    const state = { isOver: false, counts };
    const clients = [
      ...Array.from({ length: UPLOADERS }, () => client((name) => uploadOnce(stack, name), ledger, state)),
      ...Array.from({ length: EVALUATORS }, () => client((name) => evaluateOnce(stack, name), ledger, state)),
    ];
    for (let done = 0; done < kills; done++) {
      await Bun.sleep(lifeMs());
      const [gateway, worker] = VICTIMS[Math.floor(Math.random() * VICTIMS.length)] ?? [true, true];
      if (gateway) stack.gateway.signal("SIGKILL");
      if (worker) stack.workers[0]?.signal("SIGKILL");
      if (gateway) await stack.restartGateway();
      if (worker) await stack.replaceWorker();
      onKill(done + 1);
    }
    state.isOver = true;
    await Promise.all(clients);
    return { kills, ...counts, ...(await check(stack, ledger.read())) };
  } finally {
    await stack.stop();
  }
};

const check = async (stack: Stack, acknowledged: readonly Acknowledged[]) => {
  const lost: string[] = [];
  const compare = async ({ kind, id, holds }: Acknowledged) => {
    const found = kind === "dataset" ? await findDataset(stack, id) : await findRun(stack, id);
    if (JSON.stringify(found) !== JSON.stringify(holds)) lost.push(`${kind} ${id}: ${JSON.stringify(found)}`);
  };
  for (const some of blocksOf(acknowledged, PARALLEL_CHECKS)) await Promise.all(some.map(compare));
  const database = createClient({ url: `file:${stack.folder}/data/groundwire.db` });
  const value = async (sql: string) => (await database.execute(sql)).rows[0]?.[0];
  try {
    await until("staged revisions are deleted", async () => (await value(STAGED)) === 0, 90_000);
    const leftovers = async () => Number(await value(LEFTOVERS));
    await until("uploads are deleted", async () => (await leftovers()) === 0, 90_000).catch(() => undefined);
    const torn = (await database.execute(TORN)).rows.map((row) => String(row[0]));
    return {
      datasets: acknowledged.filter(({ kind }) => kind === "dataset").length,
      runs: acknowledged.filter(({ kind }) => kind === "run").length,
      lost,
      torn,
      leftovers: await leftovers(),
      integrity: String(await value("PRAGMA integrity_check")),
      brokenReferences: (await database.execute("PRAGMA foreign_key_check")).rows.length,
    };
  } finally {
    database.close();
  }
};

const STAGED = "SELECT COUNT(*) FROM dataset_revisions WHERE revision IS NULL";

/** Selects uploads that should have been deleted. An upload that was running when a gateway died is kept for a day. */
const LEFTOVERS = `SELECT
  (SELECT COUNT(*) FROM uploads JOIN jobs ON jobs.id = uploads.job_id WHERE jobs.ended_at IS NOT NULL)
  + (SELECT COUNT(*) FROM upload_parts WHERE NOT EXISTS (SELECT 1 FROM uploads WHERE uploads.id = upload_id))`;

/** Revisions with too few samples, datasets without a revision, runs without a result, results without scores. */
const TORN = `
  SELECT id FROM dataset_revisions AS r WHERE samples <> (SELECT COUNT(*) FROM revision_samples WHERE revision_id = r.id)
  UNION ALL SELECT id FROM datasets AS d WHERE NOT EXISTS (SELECT 1 FROM dataset_revisions WHERE dataset_id = d.id)
  UNION ALL SELECT id FROM runs AS u WHERE NOT EXISTS (SELECT 1 FROM results WHERE run_id = u.id)
  UNION ALL SELECT id FROM results AS t WHERE NOT EXISTS (SELECT 1 FROM scores WHERE result_id = t.id)`;

const get = async (stack: Stack, path: string): Promise<Json | undefined> => {
  const response = await fetch(stack.url + path, { headers });
  return response.ok ? ((await response.json()) as Json) : undefined;
};

const findDataset = async (stack: Stack, id: string) => {
  const latest = (await get(stack, `/v1/datasets/${id}`))?.latest as { hash: string; samples: number } | undefined;
  return latest && { hash: latest.hash, samples: latest.samples };
};

const findRun = async (stack: Stack, id: string) => {
  const found = await get(stack, `/v1/evals/${id}`);
  const results = found?.results as { data: { id: string; scores: { value: number }[] }[] } | undefined;
  const [result] = results?.data ?? [];
  return result && { result: result.id, values: result.scores.map(({ value }) => value) };
};

/** Minimum acknowledgements per kill, of uploads and evaluations. With fewer, the run tested too little. */
const MIN_ACKNOWLEDGED = { datasets: 0.1, runs: 1 };

/** The guarantees that a report violates. */
export const brokenBy = (report: KillReport): string[] => {
  const { kills, datasets, runs, lost, torn, leftovers, integrity, brokenReferences, unexpected } = report;
  const claims: [claim: string, isKept: boolean][] = [
    ["no acknowledged work is lost", lost.length === 0],
    ["nothing is partly stored", torn.length === 0],
    ["finished uploads are deleted", leftovers === 0],
    ["the database file is intact", integrity === "ok" && brokenReferences === 0],
    ["every other response asks the client to retry", unexpected.length === 0],
    ["enough was acknowledged", datasets >= kills * MIN_ACKNOWLEDGED.datasets && runs >= kills * MIN_ACKNOWLEDGED.runs],
  ];
  return claims.filter(([, isKept]) => !isKept).map(([claim]) => claim);
};

if (import.meta.main) {
  const kills = Number(process.argv[2] ?? 200);
  const isTerminal = process.stdout.isTTY;
  const report = await killNine(kills, (done) => {
    if (isTerminal) process.stdout.write(`\r${done} of ${kills} kills`);
    else if (done % 20 === 0) console.log(`${done} of ${kills} kills`);
  });
  console.log(`${isTerminal ? "\n" : ""}${JSON.stringify(report, null, 2)}`);
  process.exit(brokenBy(report).length === 0 ? 0 : 1);
}
