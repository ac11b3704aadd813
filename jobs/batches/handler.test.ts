import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type BatchRow, findBatch, insertBatch, updateBatch } from "../../db/batches";
import type { Db } from "../../db/client";
import { findFile, insertFile } from "../../db/files";
import { type ClaimedTask, claimTasks, endTask, insertJob, settleJob } from "../../db/jobs";
import { insertKey, updateKey } from "../../db/keys";
import { batchResults, webhookEvents } from "../../db/schema";
import { insertWorker } from "../../db/workers";
import { BATCH_REQUESTS_KIND } from "../../gateway/batches/job";
import { NO_TOKENS } from "../../gateway/batches/results";
import { createImageRules } from "../../gateway/chat/images";
import { newFile } from "../../gateway/files/service";
import { createUploads, type Uploads } from "../../gateway/uploads/service";
import { AppError, toEnvelope } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import { temporaryDb } from "../../tests/db/temporary";
import { until } from "../../tests/until";
import type { RequestOnce } from "../gateway-client";
import { JobLoop } from "../loop";
import { ownIdentity } from "../process-identity";
import { runTask } from "../run-task";
import { batchRequests } from "./handler";

const BATCH = "batch_1";
const URL = "/v1/chat/completions";
/** No system has a process with this id. */
const GONE = { host: ownIdentity().host, process: "99999999 0" };

let db: Db;
let uploads: Uploads;
/** Added to the workers' clock. */
let aheadMs: number;
const now = () => new Date(Date.now() + aheadMs);

beforeEach(async () => {
  aheadMs = 0;
  db = await temporaryDb();
  uploads = createUploads({ db, maxBytes: Number.MAX_SAFE_INTEGER });
});
afterEach(() => db.close());

const lineOf = (n: number): string =>
  JSON.stringify({
    ...{ custom_id: `r${n}`, method: "POST", url: URL },
    body: { messages: [{ role: "user", content: `q${n}` }], max_tokens: 8 },
  });

/** Creates a batch with these lines, and its job. */
const createBatch = async (lines: readonly string[]): Promise<void> => {
  const upload = await uploads.receive([Buffer.from(lines.join("\n"))], { fileName: "in.jsonl", createdBy: "key_1" });
  const file = newFile({ createdBy: "key_1", seconds: undefined, days: 30 }, now());
  await db.write(async (tx) => {
    await insertKey(tx, { id: "key_1", name: "a key", role: "member", secretHash: Buffer.from("a"), createdAt: now() });
    const { id: uploadId, sizeBytes: bytes } = upload;
    await insertFile(tx, { ...file, uploadId, purpose: "batch", filename: "in.jsonl", bytes });
    await insertJob(
      tx,
      { id: "job_1", kind: BATCH_REQUESTS_KIND, payload: { batchId: BATCH }, createdBy: "key_1" },
      [null],
      now(),
    );
    await insertBatch(tx, {
      ...{ id: BATCH, status: "validating", endpoint: URL, inputFileId: file.id, createdBy: "key_1", jobId: "job_1" },
      ...{ tokens: NO_TOKENS, createdAt: now(), expiresAt: new Date(now().getTime() + 86_400_000) },
    });
  });
};
const createRequests = (count: number) => createBatch(Array.from({ length: count }, (_, n) => lineOf(n)));

// biome-ignore lint/suspicious/noExplicitAny: a body as the gateway sees it
const questionIn = (body: any): string => body.messages[0].content;

/** Answers each request with its question. */
const answer: RequestOnce = async (_, __, body) => ({
  body: { answer: questionIn(body), usage: { prompt_tokens: 3, completion_tokens: 2 } },
  ...{ queueMs: 0, totalMs: 1 },
});

const handler = (requestOnce: RequestOnce, maxRequests = 1000) =>
  batchRequests({
    ...{ db, uploads, now, log: silentLog() },
    gateway: { requestOnce, listModels: async () => [] },
    settings: {
      ...{ maxRequests, fileDays: 30, maxLineBytes: 10_000, fallbacks: [], images: createImageRules([]) },
      defaults: { requestsPerMinute: 100, parallelRequests: 10 },
    },
  });

let workers = 0;
const claim = async (): Promise<ClaimedTask> => {
  const workerId = `worker_${++workers}`;
  await db.write((tx) => insertWorker(tx, { id: workerId, ...GONE }, now()));
  const [task] = await claimTasks(db, { workerId, kind: BATCH_REQUESTS_KIND, limit: 1 }, now());
  if (!task) throw new Error("No task was claimed.");
  return task;
};

/** Runs another worker's loop, which releases the tasks of dead workers and has no room for tasks itself. */
const releaseTasks = async (): Promise<void> => {
  const loop = new JobLoop({
    db,
    log: silentLog(),
    handlers: [{ ...handler(answer), concurrency: 0 }],
    leaseMs: 3_600_000,
  });
  await loop.open();
  await loop.close(0);
};

/** Runs the batch on a worker until it ends, or until `stops` resolves with the reason. */
const work = async (
  requestOnce: RequestOnce = answer,
  { stops, maxRequests }: { stops?: () => Promise<"draining" | "lost">; maxRequests?: number } = {},
): Promise<void> => {
  const task = await claim();
  const abort = new AbortController();
  const running = runTask({ db, log: silentLog(), now }, handler(requestOnce, maxRequests), task, abort.signal);
  if (stops) {
    const reason = await stops();
    if (reason === "lost") await releaseTasks();
    abort.abort(reason);
  }
  await running;
};

const batch = async (): Promise<BatchRow> => {
  const row = await findBatch(db, BATCH);
  if (!row) throw new Error("The batch is gone.");
  return row;
};

// biome-ignore lint/suspicious/noExplicitAny: results as clients read them
const linesIn = async (fileId: string | null): Promise<any[]> => {
  if (fileId === null) return [];
  const file = await findFile(db, "key_1", fileId);
  const text = Buffer.concat(await Array.fromAsync(uploads.read(file?.uploadId ?? ""))).toString();
  expect(file?.bytes).toBe(Buffer.byteLength(text));
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
};
const outputs = async () => linesIn((await batch()).outputFileId);
const errors = async () => linesIn((await batch()).errorFileId);
const idsIn = (lines: { custom_id: string }[]): string[] => lines.map(({ custom_id }) => custom_id);
const ids = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => `r${from + n}`);

/** A call that only ends when it is aborted. */
const hang: RequestOnce = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

describe("a batch", () => {
  test("stores one result for each request, in the order of the file, and publishes its end", async () => {
    await createRequests(300);
    await work();
    const { status, total, completed, failed, tokens, errorFileId, endedAt } = await batch();
    expect([status, total, completed, failed, errorFileId]).toEqual(["completed", 300, 300, 0, null]);
    expect(tokens).toEqual({ input: 900, cached: 0, output: 600, reasoning: 0 });
    const lines = await outputs();
    expect(idsIn(lines)).toEqual(ids(0, 300));
    expect(lines[7]).toEqual({
      id: expect.stringMatching(/^batch_req_/),
      custom_id: "r7",
      response: {
        status_code: 200,
        request_id: expect.stringMatching(/^req_/),
        body: { answer: "q7", usage: { prompt_tokens: 3, completion_tokens: 2 } },
      },
      error: null,
    });
    const [event] = await db.select().from(webhookEvents);
    expect(event).toMatchObject({
      type: "batch.ended",
      data: { batch_id: BATCH, status: "completed", ended_at: endedAt?.toISOString() },
    });
  });

  test("keeps results only in its files once it has ended", async () => {
    await createRequests(600);
    await work();
    expect(await db.$count(batchResults)).toBe(600);
    await handler(answer).sweep?.();
    expect([await db.$count(batchResults), (await outputs()).length]).toEqual([0, 600]);
  });

  test("retries temporary errors, and lists the others in the error file, as the route would answer", async () => {
    await createRequests(4);
    const attempts = new Map<string, number>();
    await work(async (caller, path, body) => {
      const question = questionIn(body);
      const attempt = (attempts.get(question) ?? 0) + 1;
      attempts.set(question, attempt);
      if (question === "q1" && attempt < 3) throw new AppError("overloaded", "Full.", { retryAfterMs: 1 });
      if (question === "q2") throw new AppError("context_length_exceeded", "Too long.", { param: "messages" });
      return answer(caller, path, body);
    });
    const { status, completed, failed } = await batch();
    expect([status, completed, failed, attempts.get("q1")]).toEqual(["completed", 3, 1, 3]);
    const [error] = await errors();
    const { request_id: requestId } = error.response;
    const refusal = new AppError("context_length_exceeded", "Too long.", { param: "messages" });
    expect(error).toMatchObject({
      ...{ custom_id: "r2", error: null },
      response: { status_code: 400, body: toEnvelope(refusal, requestId) },
    });
  });

  test("with an invalid file fails with the lines, and sends nothing", async () => {
    await createBatch([lineOf(0), "{", lineOf(0)]);
    let calls = 0;
    await work(async () => {
      calls++;
      throw new Error("No request is sent.");
    });
    const { status, errors: problems, total, outputFileId } = await batch();
    expect([status, calls, total, outputFileId]).toEqual(["failed", 0, 0, null]);
    expect(problems?.map(({ code, line }) => [code, line])).toEqual([
      ["invalid_json_line", 2],
      ["duplicate_custom_id", 3],
    ]);
  });

  test("with more requests than allowed fails", async () => {
    await createRequests(3);
    await work(answer, { maxRequests: 2 });
    expect((await batch()).errors?.map(({ code }) => code)).toEqual(["too_many_requests"]);
  });
});

describe("a worker", () => {
  test("that stops keeps the results, and the next one runs only the other requests", async () => {
    await createRequests(40);
    const answered: string[] = [];
    const first: RequestOnce = async (caller, path, body) => {
      if (answered.length >= 10) return hang(caller, path, body);
      answered.push(questionIn(body));
      return answer(caller, path, body);
    };
    const stops = async () => {
      await until("ten are answered", () => answered.length === 10);
      return "draining" as const;
    };
    await work(first, { stops });
    expect([(await batch()).completed, (await batch()).status]).toEqual([10, "in_progress"]);
    const sent: string[] = [];
    await work(async (caller, path, body) => {
      sent.push(questionIn(body));
      return answer(caller, path, body);
    });
    expect(sent).toHaveLength(30);
    expect([...answered, ...sent].toSorted()).toEqual(
      ids(0, 40)
        .map((id) => id.replace("r", "q"))
        .toSorted(),
    );
    expect(idsIn(await outputs())).toEqual(ids(0, 40));
  });

  test("that was considered dead writes nothing more, so no request gets two results", async () => {
    await createRequests(20);
    const late = Promise.withResolvers<void>();
    let asked = 0;
    const stops = async () => {
      await until("its calls are running", () => asked > 0);
      return "lost" as const;
    };
    const frozen = work(
      async (caller, path, body) => {
        asked++;
        await late.promise;
        return answer(caller, path, body);
      },
      { stops },
    );
    await until("its task was released", async () => {
      const [task] = await db.all<{ state: string }>("SELECT state FROM tasks");
      return asked > 0 && task?.state === "queued";
    });
    await work();
    late.resolve();
    await frozen;
    const { completed, status } = await batch();
    expect([completed, status]).toEqual([20, "completed"]);
    expect(idsIn(await outputs())).toEqual(ids(0, 20));
  });

  test("that dies while it writes the files leaves them to the next worker", async () => {
    await createRequests(3);
    const broken = { ...uploads, receive: () => Promise.reject(new AppError("internal", "The worker died.")) };
    const healthy = uploads;
    uploads = broken as Uploads;
    await work();
    uploads = healthy;
    expect(await batch()).toMatchObject({ status: "finalizing", ending: "completed", completed: 3 });
    aheadMs += 60_000;
    await work(() => Promise.reject(new Error("All requests have ended.")));
    expect([(await batch()).status, idsIn(await outputs())]).toEqual(["completed", ids(0, 3)]);
  });

  test("waits while the disk of the database is full", async () => {
    await createRequests(5);
    let failures = 0;
    const write: Db["write"] = (tx) => {
      if (failures === 0 || failures > 2) return db.write(tx);
      failures++;
      return Promise.reject(new AppError("storage_full", "The disk is full."));
    };
    const fill: RequestOnce = (caller, path, body) => {
      failures ||= 1;
      return answer(caller, path, body);
    };
    await runTask({ db: { write }, log: silentLog(), now }, handler(fill), await claim(), new AbortController().signal);
    expect([failures, (await batch()).status, idsIn(await outputs())]).toEqual([3, "completed", ids(0, 5)]);
  });
});

describe("a batch ends early", () => {
  /** Answers the first five requests. The others wait until they are aborted. */
  const firstFive: RequestOnce = (caller, path, body) =>
    Number(questionIn(body).slice(1)) < 5 ? answer(caller, path, body) : hang(caller, path, body);
  const fiveAreStored = () => until("five results are stored", async () => (await batch()).completed === 5);

  test("when its window expires: the other requests get batch_expired", async () => {
    await createRequests(12);
    const running = work(firstFive);
    await fiveAreStored();
    aheadMs = 25 * 3_600_000;
    await running;
    const { status, completed, failed, endedAt } = await batch();
    expect([status, completed, failed, endedAt !== null]).toEqual(["expired", 5, 7, true]);
    expect(idsIn(await outputs())).toEqual(ids(0, 5));
    const lines = await errors();
    expect(idsIn(lines)).toEqual(ids(5, 12));
    expect(lines[0]).toMatchObject({ response: null, error: { code: "batch_expired", message: expect.any(String) } });
  });

  test("when it is claimed after its window: nothing is sent", async () => {
    await createRequests(3);
    aheadMs = 25 * 3_600_000;
    await work(() => Promise.reject(new Error("Nothing is sent.")));
    expect([(await batch()).status, idsIn(await errors())]).toEqual(["expired", ids(0, 3)]);
  });

  test("when it is cancelled: its calls are aborted, and results so far are kept", async () => {
    await createRequests(12);
    const running = work(firstFive);
    await fiveAreStored();
    const cancelledAt = performance.now();
    await db.write((tx) => updateBatch(tx, BATCH, { status: "cancelling", cancellingAt: now() }));
    await running;
    expect(performance.now() - cancelledAt).toBeLessThan(5000);
    const { status, completed, failed } = await batch();
    expect([status, completed, failed]).toEqual(["cancelled", 5, 7]);
    expect((await errors())[6]).toMatchObject({ custom_id: "r11", error: { code: "batch_cancelled" } });
  });

  test("when its key is revoked: it fails with the reason, and results so far are kept", async () => {
    await createRequests(12);
    let isRevoked = false;
    await work(async (caller, path, body) => {
      if (Number(questionIn(body).slice(1)) < 5) return answer(caller, path, body);
      if (!isRevoked) {
        isRevoked = true;
        await db.write((tx) => updateKey(tx, "key_1", { revokedAt: now() }));
      }
      throw new AppError("invalid_api_key", "This API key was revoked.");
    });
    const { status, completed, failed, errors: problems } = await batch();
    expect([status, completed, failed, problems?.map(({ code }) => code)]).toEqual([
      "failed",
      5,
      7,
      ["invalid_api_key"],
    ]);
    expect((await errors())[0]).toMatchObject({ custom_id: "r5", error: { code: "invalid_api_key" } });
  });

  /** Fails the batch's job, as if three workers had died on it. */
  const failJob = async (): Promise<void> => {
    const task = await claim();
    await db.write(async (tx) => {
      await endTask(tx, task, "failed", { code: "internal", message: "3 workers died." });
      await settleJob(tx, task.jobId, null, now());
    });
  };

  test("when its job fails: another job ends the other requests and writes the files", async () => {
    await createRequests(6);
    const stops = () => fiveAreStored().then(() => "draining" as const);
    await work(firstFive, { stops });
    await failJob();
    await handler(answer).sweep?.();
    await work(() => Promise.reject(new Error("Nothing is sent.")));
    expect(await batch()).toMatchObject({
      status: "failed",
      errors: [{ code: "internal", message: "3 workers died." }],
    });
    expect([idsIn(await outputs()), idsIn(await errors())]).toEqual([ids(0, 5), ids(5, 6)]);
  });

  test("when both jobs fail: it has no files", async () => {
    await createRequests(6);
    for (let jobs = 0; jobs < 2; jobs++) {
      await failJob();
      await handler(answer).sweep?.();
    }
    expect(await batch()).toMatchObject({ status: "failed", outputFileId: null, errors: [{ code: "internal" }] });
  });
});
