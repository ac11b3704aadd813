import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { updateBatchRun } from "../../db/batch-evals";
import { listBatchResults } from "../../db/batch-results";
import type { Db } from "../../db/client";
import { insertDataset, publishRevision, stageRevision } from "../../db/datasets";
import { type ClaimedTask, claimTasks, findJob, insertJob } from "../../db/jobs";
import { insertKey, updateKey } from "../../db/keys";
import { findRunTotals, listScores, setOutcome } from "../../db/results";
import { findRun, insertRun, type RunRow } from "../../db/runs";
import { insertMembers } from "../../db/samples";
import { insertWorker } from "../../db/workers";
import { BATCH_KIND, newProgress } from "../../gateway/batch-evals/job";
import type { ChatAnswer } from "../../gateway/chat/contract";
import { toContent, toRow } from "../../gateway/datasets/content";
import type { RunPins } from "../../gateway/evals/contract";
import { scoreExact } from "../../gateway/evals/scorers/exact-evaluator";
import { computeFigures } from "../../gateway/evals/summary";
import { createEvaluators } from "../../gateway/evaluators/service";
import { createPrompts } from "../../gateway/prompts/service";
import { indexOpener } from "../../gateway/rag/indexes/open-index";
import { AppError, type ErrorKind } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import { temporaryDb } from "../../tests/db/temporary";
import { until } from "../../tests/until";
import type { ChatOnce } from "../gateway-client";
import { JobLoop } from "../loop";
import { ownIdentity } from "../process-identity";
import { runTask } from "../run-task";
import { batchEvals } from "./handlers";

const AT = new Date("2026-11-30T12:00:00Z");
const RUN = "run_1";
/** No system has a process with this number. */
const GONE = { host: ownIdentity().host, process: "99999999 0" };

let db: Db;
beforeEach(async () => {
  warnings = [];
  db = await temporaryDb();
});
afterEach(() => db.close());

const answerOf = (text: string, revision = "r1"): ChatAnswer => ({
  id: "chat_1",
  message: { role: "assistant", content: text },
  finish_reason: "stop",
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  model: "m",
  model_revision: revision,
  template_version: null,
  retries: 0,
  fallback_from: null,
  degraded: [],
  node: "node",
  latency: { queue: 1, ttft: 2, total: 5 },
  cache: { status: "bypass" },
  request_id: "req_1",
});
const questionIn = (body: Parameters<ChatOnce>[1]): string => String(body.messages.at(-1)?.content);
const answers: ChatOnce = async (_, body) => answerOf(questionIn(body));

/** A dataset of `count` samples whose reference is the question, and a run over it. */
const createRun = async (
  count: number,
  settings: Record<string, unknown> = {},
  repeats = 1,
  evaluator = "exact@1",
): Promise<void> => {
  const [chosen] = await createEvaluators({ db }).choose([evaluator]);
  const dataset = { id: "ds_1", name: "numbers", revision: 1, hash: "h" };
  const pins: RunPins = {
    ...{ dataset, model_revision: null, node_version: null, engine: null, prompt_hash: null, index_revision: null },
    target: { kind: "chat", model: "m", max_tokens: 8, temperature: 0 },
    evaluators: [{ evaluator, shadow: false, hash: chosen?.hash ?? "" }],
    ...{ rubric: null, rubric_hash: null, seed: 0, repeats, code_version: "1", host: {} },
  };
  const members = Array.from({ length: count }, (_, n) => {
    const [key, content] = [`k${n}`, toContent({ input: `q${n}`, references: [`q${n}`] })];
    return { ...toRow({ ...content, key, hash: `${n}`.padStart(32, "0") }), key, position: n };
  });
  await db.write(async (tx) => {
    await insertKey(tx, { id: "key_1", name: "a key", role: "editor", secretHash: Buffer.from("a"), createdAt: AT });
    await insertDataset(tx, { id: "ds_1", name: "numbers", createdBy: "key_1", createdAt: AT, updatedAt: AT });
    await stageRevision(tx, { id: "rev_1", jobId: "job_0", source: null, createdBy: "key_1" }, AT);
    await insertMembers(tx, "rev_1", members);
    const counts = { samples: count, added: count, changed: 0, removed: 0, tags: [], tagCount: 0, report: {} };
    await publishRevision(tx, "rev_1", { datasetId: "ds_1", revision: 1, hash: "h", ...counts });
    await insertJob(
      tx,
      { id: "job_1", kind: BATCH_KIND, payload: { runId: RUN, retryUpTo: 0 }, createdBy: "key_1" },
      [null],
      AT,
    );
    await insertRun(tx, {
      ...{
        id: RUN,
        kind: "batch",
        name: "a run",
        state: "queued",
        pins: { ...pins },
        createdBy: "key_1",
        createdAt: AT,
      },
      ...{ settings, progress: newProgress(count * repeats), jobId: "job_1" },
    });
  });
};

/** Warnings of the worker. */
let warnings: string[] = [];
const log = () => Object.assign(silentLog(), { warn: (_: object, message: string) => warnings.push(message) });

const handler = (chatOnce: ChatOnce) =>
  batchEvals({
    db,
    log: log(),
    gateway: { chatOnce, queryOnce: () => Promise.reject(new Error("No run here asks an index.")) },
    indexes: indexOpener(db),
    prompts: createPrompts({ db }),
    evaluators: createEvaluators({ db }),
    reference: {
      score: async (_, answer) => scoreExact(answer).map((score) => ({ ...score, votes: [], by: null, error: null })),
      claimsOf: async () => [],
    },
    computeFigures: async (runId) => computeFigures(db, await rowOf(runId)),
    defaults: { requestsPerMinute: 100, parallelRequests: 10 },
  });

let workers = 0;
const claim = async (): Promise<ClaimedTask> => {
  const workerId = `worker_${++workers}`;
  await db.write((tx) => insertWorker(tx, { id: workerId, ...GONE }, AT));
  const [task] = await claimTasks(db, { workerId, kind: BATCH_KIND, limit: 1 }, new Date());
  if (!task) throw new Error("No task was claimed.");
  return task;
};

/** Another worker's loop finds the dead workers and releases their tasks. It has no room for the tasks itself. */
const releaseTasks = async (): Promise<void> => {
  const handlers = [{ ...handler(answers), concurrency: 0 }];
  const loop = new JobLoop({ db, log: silentLog(), handlers, leaseMs: 3_600_000 });
  await loop.open();
  await loop.close(0);
};

/** A worker that runs the job, until it has ended or `dies` resolves. A dead worker's writes come too late. */
const work = async (chatOnce: ChatOnce, dies?: () => Promise<void>): Promise<void> => {
  const task = await claim();
  const abort = new AbortController();
  const running = runTask({ db, log: silentLog(), now: () => new Date() }, handler(chatOnce), task, abort.signal);
  if (dies) {
    await dies();
    await releaseTasks();
    abort.abort("lost");
  }
  await running;
};

/** What the gateway does when a run is resumed. */
const resume = (retryUpTo = 0): Promise<void> =>
  db.write(async (tx) => {
    const job = { id: "job_2", kind: BATCH_KIND, payload: { runId: RUN, retryUpTo }, createdBy: "key_1" };
    await insertJob(tx, job, [null], AT);
    await updateBatchRun(tx, RUN, { state: "queued", error: null, endedAt: null, jobId: "job_2" });
  });

const rowOf = async (id = RUN): Promise<RunRow> => {
  const row = await findRun(db, id);
  if (!row) throw new Error(`Run ${id} not found.`);
  return row;
};
const resultsOf = () => listBatchResults(db, RUN, { limit: 10_000, sort: "dataset" });

describe("a batch run", () => {
  test("stores one result per sample and repeat with its score, and counts that equal the rows", async () => {
    await createRun(1200, {}, 2);
    await work(answers);
    const { state, progress, pins, figures, changes } = await rowOf();
    expect([state, pins.model_revision, figures?.changes]).toEqual(["completed", "r1", changes]);
    const { total, done, judged, passed, promptTokens, completionTokens, workedMs } = await findRunTotals(db, RUN);
    expect(progress).toMatchObject({ total, done, judged, passed, promptTokens, completionTokens, workedMs });
    expect([total, done, passed, progress?.running]).toEqual([2400, 2400, 2400, 0]);
    const results = await resultsOf();
    expect(new Set(results.map(({ sequence }) => sequence)).size).toBe(2400);
    expect(
      await listScores(
        db,
        results.slice(0, 500).map(({ id }) => id),
      ),
    ).toHaveLength(500);
  });

  test("never has more calls in flight than max_concurrency", async () => {
    await createRun(60, { max_concurrency: 3 });
    let running = 0;
    let most = 0;
    await work(async (_, body) => {
      most = Math.max(most, ++running);
      await Bun.sleep(2);
      running--;
      return answerOf(questionIn(body));
    });
    expect([most, (await rowOf()).progress?.done]).toEqual([3, 60]);
  });

  test("counts a verdict that changes while the run goes on, because a score was added", async () => {
    await createRun(12, { max_concurrency: 1 });
    await work(async (_, body) => {
      if (questionIn(body) === "q11") {
        await until("a result is stored", async () => ((await rowOf()).progress?.done ?? 0) > 0);
        const [first] = await resultsOf();
        const outcome = { passed: false, failure: "wrong", overall: 0 } as const;
        await db.write((tx) => setOutcome(tx, first?.id ?? "", outcome));
      }
      return answerOf(questionIn(body));
    });
    const { judged, passed } = await findRunTotals(db, RUN);
    expect([judged, passed]).toEqual([12, 11]);
    expect((await rowOf()).progress).toMatchObject({ done: 12, judged, passed, failures: { wrong: 1 } });
  });

  test("says that a sample can't be evaluated if it has nothing to compare with, and blames no model for it", async () => {
    await createRun(2);
    await db.writer.exclusive(() => db.writer.execute(`UPDATE samples SET "references" = '[]'`));
    await work(answers);
    expect((await rowOf()).progress).toMatchObject({ errors: 2, failures: { invalid_sample: 2 } });
    expect((await resultsOf())[0]?.error?.message).toBe(
      "The sample has nothing to compare the answer with. Add references, contexts or a rubric.",
    );
  });

  test("waits while the node is unavailable, and no result is an error for it", async () => {
    await createRun(20);
    let failures = 6;
    await work(async (_, body) => {
      if (failures-- > 0) throw new AppError("unavailable", "The node is down.");
      return answerOf(questionIn(body));
    });
    expect((await rowOf()).progress).toMatchObject({ done: 20, errors: 0 });
  }, 30_000);

  test("continues after its dataset was deleted", async () => {
    await createRun(600);
    await db.writer.exclusive(() => db.writer.execute("UPDATE datasets SET deleted_at = 1"));
    await work(answers);
    expect((await rowOf()).progress?.done).toBe(600);
  });

  test("fails if samples are missing, keeps its results, and says so", async () => {
    await createRun(600);
    await db.writer.exclusive(() => db.writer.execute("DELETE FROM revision_samples WHERE position >= 500"));
    await work(answers);
    const { state, error, progress } = await rowOf();
    expect([state, progress?.errors]).toEqual(["failed", 0]);
    expect(error?.message).toStartWith('Samples of revision 1 of the dataset "numbers" are missing');
    expect((await resultsOf()).filter((result) => result.state === "done")).toHaveLength(progress?.done ?? 0);
  });

  test("fails for a revoked key and a changed revision of the model, and says why", async () => {
    await createRun(40, { max_concurrency: 1 });
    await work(async (_, body) => answerOf(questionIn(body), questionIn(body) === "q9" ? "r2" : "r1"));
    const changed = await rowOf();
    expect([changed.state, changed.error?.message]).toEqual([
      "failed",
      expect.stringContaining("changed from r1 to r2"),
    ]);
    expect((await resultsOf()).filter(({ state }) => state === "running")).toEqual([]);
    await db.write((tx) => updateKey(tx, "key_1", { revokedAt: AT }));
    await resume();
    await work(answers);
    expect((await rowOf()).error?.message).toContain("was revoked");
  });
});

describe("what goes wrong", () => {
  test.each<ErrorKind>(["budget_exhausted", "model_not_found", "insufficient_role"])(
    "%s fails the run with its message, and a resumed run keeps its results",
    async (kind) => {
      await createRun(60, { max_concurrency: 4 });
      let calls = 0;
      await work(async (_, body) => {
        if (++calls > 20) throw new AppError(kind, "This is the reason.");
        return answerOf(questionIn(body));
      });
      const { state, error, progress } = await rowOf();
      expect([state, error?.code, error?.message]).toEqual(["failed", kind, "This is the reason."]);
      expect(progress).toMatchObject({ errors: 0, running: 0 });
      const kept = (await resultsOf()).filter((result) => result.state === "done").map(({ id }) => id);
      await resume();
      const asked: string[] = [];
      await work(async (_, body) => {
        asked.push(questionIn(body));
        return answerOf(questionIn(body));
      });
      expect(await rowOf()).toMatchObject({ state: "completed", error: null, progress: { done: 60, errors: 0 } });
      expect([kept.length > 0, asked.length]).toEqual([true, 60 - kept.length]);
    },
  );

  test("more errors than allowed fail the run, and their results can be retried", async () => {
    await createRun(60, { max_concurrency: 4, max_error_share: 0.1 });
    await work(async () => {
      throw new AppError("invalid_request", "The prompt is too strange.");
    });
    const { state, error, progress } = await rowOf();
    expect([state, error?.message]).toEqual(["failed", expect.stringContaining("resume the run with retry_errors")]);
    expect(progress?.errors).toBeGreaterThanOrEqual(20);
    await resume(progress?.sequence);
    await work(answers);
    expect(await rowOf()).toMatchObject({ state: "completed", progress: { done: 60, errors: 0, passed: 60 } });
  });

  test("a run says why it waits while the node is down or a limit is reached, and continues by itself", async () => {
    await createRun(20);
    let isDown = true;
    const working = work(async (_, body) => {
      if (isDown) throw new AppError("unavailable", "The node is down.");
      return answerOf(questionIn(body));
    });
    await until("the run says why it waits", async () => (await rowOf()).progress?.waiting != null, 20_000);
    const { state, progress } = await rowOf();
    expect([state, progress?.waiting]).toMatchObject([
      "running",
      { code: "unavailable", message: "The node is down.", since: expect.stringMatching(/^\d{4}-.*Z$/) },
    ]);
    isDown = false;
    await working;
    expect(await rowOf()).toMatchObject({ state: "completed", progress: { done: 20, errors: 0, waiting: null } });
  }, 60_000);

  test("a full disk delays the run, and nothing is lost", async () => {
    await createRun(2000);
    const limitPages = (pages: string) =>
      db.writer.exclusive(() => db.writer.execute(`PRAGMA max_page_count = ${pages}`));
    const pages = (await db.all<{ page_count: number }>("PRAGMA page_count"))[0]?.page_count;
    await limitPages(String((pages ?? 0) + 20));
    const working = work(answers);
    await until("the worker waits", () => warnings.includes("a batch run is waiting for the database"), 20_000);
    expect((await rowOf()).state).toBe("running");
    await limitPages("1000000");
    await working;
    expect(await rowOf()).toMatchObject({ state: "completed", progress: { done: 2000, errors: 0 } });
    expect((await resultsOf()).filter(({ state }) => state === "done")).toHaveLength(2000);
  }, 60_000);

  test("a judge that returns rubbish leaves results without a verdict, and says why", async () => {
    await createRun(10, {}, 1, "judge@1");
    await work(answers);
    const { state, progress } = await rowOf();
    expect([state, progress]).toMatchObject([
      "completed",
      { done: 10, errors: 0, judged: 0, failures: { judge_error: 10 } },
    ]);
    const scores = await listScores(
      db,
      (await resultsOf()).map(({ id }) => id),
    );
    const { error } = scores.find((score) => score.state === "error") ?? {};
    expect(error?.message).toContain("didn't match its schema");
  });

  test("a cancelled run starts no more calls, keeps its results, and can be resumed", async () => {
    await createRun(200, { max_concurrency: 4 });
    let calls = 0;
    const working = work(async ({ signal }, body) => {
      if (++calls <= 50) return answerOf(questionIn(body));
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    });
    await until("results are stored", async () => ((await rowOf()).progress?.done ?? 0) >= 30);
    await db.write((tx) => updateBatchRun(tx, RUN, { state: "cancelled", endedAt: AT }));
    await working;
    const { state, progress } = await rowOf();
    expect([state, progress?.running, (await findJob(db, "job_1"))?.state]).toEqual(["cancelled", 0, "completed"]);
    expect(calls).toBeLessThan(60);
    await resume();
    await work(answers);
    expect(await rowOf()).toMatchObject({ state: "completed", progress: { done: 200, errors: 0 } });
  });

  test("a run doesn't end before it started, even if the worker's clock was set back", async () => {
    await createRun(1);
    await work(answers);
    const { startedAt } = await rowOf();
    await db.write((tx) => updateBatchRun(tx, RUN, { endedAt: new Date("2001-01-01") }));
    expect(startedAt).toBeDate();
    expect((await rowOf()).endedAt).toEqual(startedAt);
  });
});

describe("a worker that dies", () => {
  test("loses nothing that it stored, and writes nothing after another took over", async () => {
    await createRun(400);
    const late = Promise.withResolvers<void>();
    let calls = 0;
    const dying = work(
      async (_, body) => {
        if (++calls > 100) await late.promise;
        return answerOf(questionIn(body));
      },
      () => until("results are stored", async () => ((await rowOf()).progress?.done ?? 0) >= 50),
    );
    await until("its task was released", async () => {
      const [task] = await db.all<{ deaths: number }>("SELECT deaths FROM tasks");
      return task?.deaths === 1;
    });
    const stored = (await resultsOf())
      .filter(({ state }) => state === "done")
      .map(({ id, endedAt }) => ({ id, endedAt }));
    const next = work(answers);
    late.resolve();
    await Promise.all([dying, next]);
    expect((await rowOf()).progress).toMatchObject({ done: 400, errors: 0 });
    const after = new Map((await resultsOf()).map(({ id, endedAt }) => [id, endedAt]));
    expect(stored.filter(({ id, endedAt }) => after.get(id)?.getTime() !== endedAt?.getTime())).toEqual([]);
  });

  /** A worker that dies on the first call that `isDeadly`. */
  const dieOn = async (isDeadly: (question: string) => boolean): Promise<void> => {
    const died = Promise.withResolvers<void>();
    const kill: ChatOnce = (caller, body) => {
      if (!isDeadly(questionIn(body))) return answers(caller, body, { usesCache: true });
      died.resolve();
      return new Promise((_, reject) => caller.signal.addEventListener("abort", () => reject(caller.signal.reason)));
    };
    await work(kill, () => died.promise);
  };
  const deathsOfTask = async () => (await db.all<{ deaths: number }>("SELECT deaths FROM tasks"))[0]?.deaths;

  test("before its first sample doesn't count, however often", async () => {
    await createRun(30);
    for (let death = 0; death < 5; death++) {
      await claim();
      await releaseTasks();
    }
    await work(answers);
    const [run, job] = [await rowOf(), await findJob(db, "job_1")];
    expect([run.state, run.progress, job?.state]).toMatchObject(["completed", { done: 30, errors: 0 }, "completed"]);
  });

  test("at random moments causes no error, however often", async () => {
    await createRun(60);
    for (let death = 0; death < 12; death++) {
      let calls = 0;
      await dieOn(() => calls++ >= death % 5);
      await claim();
      await releaseTasks();
    }
    await work(answers);
    expect(await rowOf()).toMatchObject({ state: "completed", progress: { done: 60, errors: 0 } });
  });

  test("keeps other runs away while its samples run alone, and the one on which it died alone runs last", async () => {
    await createRun(30);
    await dieOn(() => true);
    await dieOn((question) => question === "q0");
    const asked = new Map<string, number | undefined>();
    await work(async (_, body) => {
      asked.set(questionIn(body), await deathsOfTask());
      return answerOf(questionIn(body));
    });
    expect([asked.get("q1"), asked.get("q2"), asked.get("q29")]).toEqual([2, 2, 0]);
    expect([...asked].at(-1)).toEqual(["q0", 0]);
    const { progress, figures, changes } = await rowOf();
    expect([progress?.done, progress?.errors, figures?.changes]).toEqual([30, 0, changes]);
    expect(figures?.value.verdict).toMatchObject({ n: 30 });
  });

  test("J6: quarantines the sample on which three died alone, and all others get results", async () => {
    await createRun(30);
    // Other samples were running too at the first death.
    for (let death = 0; death < 4; death++) await dieOn((question) => question === "q7");
    const asked: string[] = [];
    await work(async (_, body) => {
      asked.push(questionIn(body));
      return answerOf(questionIn(body));
    });
    expect(asked).not.toContain("q7");
    const { state, progress } = await rowOf();
    expect([state, progress]).toMatchObject(["completed", { done: 30, errors: 1 }]);
    const [quarantined] = (await resultsOf()).filter((result) => result.state === "error");
    expect([quarantined?.sampleKey, quarantined?.error?.message]).toEqual([
      "k7",
      expect.stringContaining("3 workers died while running only this sample"),
    ]);
  });
});
