import { createClient } from "@libsql/client";
import { toFile } from "openai";
import type { Batch } from "openai/resources/batches";
import { Stack } from "../harness";
import { until } from "../until";

/**
 * Kills jobs workers and the gateway with signal 9 at random moments while a worker runs batches of requests, and
 * restarts them immediately: `bun run faults batches-kill-nine`. At the end, every request has one result in the
 * batch's files, and the batch's counts match its files.
 *
 *   bun tests/faults/batches-kill-nine.ts 100 600    100 kills over batches of 600 requests
 */

/** Range of the time from a start to the next kill, log-uniform. */
const LIFE_MS = [300, 3000] as const;
const lifeMs = (): number => LIFE_MS[0] * (LIFE_MS[1] / LIFE_MS[0]) ** Math.random();
/** Time per token of an answer, so that a batch survives several kills. */
const TOKEN_MS = 20;
/** One in this many kills hits the gateway. The others hit the worker. */
const KILLS_PER_GATEWAY = 4;
/** One in this many requests has a prompt that is too long, so that the error file has lines too. */
const INVALID_SHARE = 20;
const ENDED: readonly Batch["status"][] = ["completed", "failed", "expired", "cancelled"];

interface KillReport {
  kills: number;
  /** Kills while a batch was in progress. */
  kills_during_batches: number;
  batches: number;
  requests: number;
  /** Requests that are in neither file. */
  lost: number;
  /** Requests with more than one line. */
  doubled: number;
  /** Results in the wrong file or with another request's answer, and counts that don't match the files. */
  wrong: string[];
  integrity: string;
}

/** Runs batches while processes are killed. */
const batchesKillNine = async (kills: number, count: number, onKill: (done: number) => void): Promise<KillReport> => {
  const stack = await Stack.start({
    engine: "synthetic",
    workers: 1,
    env: {
      GROUNDWIRE_JOBS_LEASE_MS: "1500",
      GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
      GROUNDWIRE_SYNTHETIC_TOKEN_MS: String(TOKEN_MS),
      GROUNDWIRE_SYNTHETIC_TOKENS: "8",
    },
  });
  const client = stack.openai({ maxRetries: 8 });
  const start = async (): Promise<string> => {
    const file = await client.files.create({
      file: await toFile(Buffer.from(requests(count)), "in.jsonl"),
      purpose: "batch",
    });
    const { id } = await client.batches.create({
      ...{ input_file_id: file.id, endpoint: "/v1/chat/completions", completion_window: "24h" },
    });
    return id;
  };
  const ids: string[] = [];
  const isOpen = async (): Promise<boolean> => {
    const id = ids.at(-1);
    return id !== undefined && !ENDED.includes((await client.batches.retrieve(id)).status);
  };
  try {
    let during = 0;
    for (let done = 0; done < kills; done++) {
      if (!(await isOpen())) ids.push(await start());
      await Bun.sleep(lifeMs());
      if (await isOpen()) during++;
      await (done % KILLS_PER_GATEWAY === KILLS_PER_GATEWAY - 1 ? stack.restartGateway() : stack.replaceWorker());
      onKill(done + 1);
    }
    await until("the last batch has ended", async () => !(await isOpen()), 300_000);
    const report: KillReport = {
      ...{ kills, kills_during_batches: during, batches: ids.length, requests: count * ids.length },
      ...{ lost: 0, doubled: 0, wrong: [] },
      integrity: await integrityOf(stack),
    };
    for (const id of ids) await check(client, await client.batches.retrieve(id), count, report);
    return report;
  } finally {
    await stack.stop();
  }
};

const isTooLong = (n: number): boolean => n % INVALID_SHARE === 0;

const requests = (count: number): string =>
  Array.from({ length: count }, (_, n) => {
    const content = isTooLong(n) ? "word ".repeat(10_000) : `q${n}`;
    const body = { messages: [{ role: "user", content }] };
    return `${JSON.stringify({ custom_id: `r${n}`, method: "POST", url: "/v1/chat/completions", body })}\n`;
  }).join("");

type Client = ReturnType<Stack["openai"]>;

const customIdsIn = async (client: Client, fileId: string | null | undefined): Promise<string[]> => {
  if (fileId == null) return [];
  const text = await (await client.files.content(fileId)).text();
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line).custom_id as string]));
};

const check = async (client: Client, batch: Batch, count: number, report: KillReport): Promise<void> => {
  const outputs = await customIdsIn(client, batch.output_file_id);
  const errors = await customIdsIn(client, batch.error_file_id);
  const all = [...outputs, ...errors];
  report.lost += count - new Set(all).size;
  report.doubled += all.length - new Set(all).size;
  const failed = Array.from({ length: count }, (_, n) => n)
    .filter(isTooLong)
    .map((n) => `r${n}`);
  if (batch.status !== "completed")
    report.wrong.push(`${batch.id} is ${batch.status}: ${batch.errors?.data?.[0]?.message}`);
  if (!Bun.deepEquals(errors, failed)) report.wrong.push(`${batch.id} has other errors than expected`);
  const counts = { total: count, completed: outputs.length, failed: errors.length };
  if (!Bun.deepEquals(batch.request_counts, counts)) {
    report.wrong.push(`${batch.id}: ${JSON.stringify(batch.request_counts)}, but its files ${JSON.stringify(counts)}`);
  }
};

const integrityOf = async ({ folder }: Stack): Promise<string> => {
  const database = createClient({ url: `file:${folder}/data/groundwire.db` });
  try {
    return String((await database.execute("PRAGMA integrity_check")).rows[0]?.[0]);
  } finally {
    database.close();
  }
};

/** The guarantees that a report violates. */
const brokenBy = (report: KillReport): string[] => {
  const claims: [claim: string, isKept: boolean][] = [
    ["no request is lost", report.lost === 0],
    ["no request has two results", report.doubled === 0],
    ["no kill causes an error, and counts equal the files", report.wrong.length === 0],
    ["the database file is intact", report.integrity === "ok"],
    ["batches were interrupted", report.kills_during_batches >= report.kills / 2],
  ];
  return claims.filter(([, isKept]) => !isKept).map(([claim]) => claim);
};

const [kills = 100, count = 600] = process.argv.slice(2).map(Number);
const report = await batchesKillNine(kills, count, (done) => {
  if (done % 20 === 0) console.log(`${done} of ${kills} kills`);
});
const broken = brokenBy(report);
console.log(`${JSON.stringify(report, null, 2)}\n${broken.join("\n")}`);
process.exit(broken.length === 0 ? 0 : 1);
