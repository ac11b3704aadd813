import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import type { Client } from "@libsql/client";
import type { Db, Tx } from "../../db/client";
import { replaceLabel } from "../../db/labels";
import { insertResult, insertScores, type NewScoreRow, setOutcome } from "../../db/results";
import { findRun, insertRun, type RunRow } from "../../db/runs";
import { insertSamples } from "../../db/samples";
import { AppError } from "../../lib/errors";
import { temporaryDb } from "../../tests/db/temporary";
import { PRINCIPAL } from "../../tests/principal";
import { seedRun } from "../../tests/seeded-run";
import type { Run, RunFigures } from "./contract";
import { createHistory, type EvalHistory } from "./history";
import { criteriaOf, criterionHash } from "./rubric";
import { computeFigures, countsOf, createRunReader } from "./summary";

let db: Db;
let history: EvalHistory;
beforeEach(async () => {
  db = await temporaryDb();
  history = createHistory(db);
});
afterEach(() => db.close());

const AT = new Date("2026-11-26T12:00:00Z");
const [criterion] = criteriaOf({ criteria: ["correctness"] });
if (!criterion) throw new Error("There are no built-in criteria.");

const addRun = (tx: Tx, id: string) =>
  insertRun(tx, { id, kind: "batch", name: id, state: "completed", pins: {}, createdBy: "key", createdAt: AT });

const addResult = async (tx: Tx, runId: string, n: number): Promise<void> => {
  const content = { references: [], contexts: [], output: null, group: null, tags: [], metadata: {} };
  await insertSamples(tx, [{ id: `sample_${n}`, hash: `${n}`, input: `${n}?`, ...content }]);
  const usage = { prompt_tokens: 3, completion_tokens: n };
  const row = { id: `${runId}_${n}`, runId, sampleId: `sample_${n}`, sampleKey: `${n}`, state: "done" as const };
  await insertResult(tx, { ...row, output: { text: "Ada", usage }, passed: true });
};

const scoreOf = (resultId: string, value: number, parts: Partial<NewScoreRow> = {}): NewScoreRow => ({
  resultId,
  metric: "correctness",
  criterion,
  criterionHash: criterionHash(criterion),
  evaluator: "reference@1",
  evaluatorHash: "e",
  state: "scored",
  value,
  passed: value > 0.5,
  claims: [],
  votes: [],
  shadow: false,
  scoredAt: AT,
  ...parts,
});

const labelOf = (n: number, value: number, labelledBy = "key") => ({
  id: `label_${n}_${value}_${labelledBy}`,
  resultId: `run_1_${n}`,
  metric: "correctness",
  value,
  failure: null,
  comment: null,
  blind: true,
  labelledBy,
  createdAt: AT,
});

const rowOf = async (id = "run_1"): Promise<RunRow> => {
  const row = await findRun(db, id);
  if (!row) throw new Error(`Run ${id} not found.`);
  return row;
};
const isStale = async (): Promise<boolean> => {
  const { figures, changes } = await rowOf();
  return figures?.changes !== changes;
};
const figuresOf = (run: Run): RunFigures => {
  const { progress, passed, verdict, statistics, failures, usage, gpu_seconds, latency, segments } = run;
  return { progress, passed, verdict, statistics, failures, usage, gpu_seconds, latency, segments };
};
/** Reads a run as the API does, and waits until the figures it computed are stored. */
const read = async (id = "run_1"): Promise<RunFigures> => {
  const { run } = await history.get(PRINCIPAL, id);
  await stored();
  return figuresOf(run);
};
/** Write transactions run one after the other, so a write that starts now ends after the waiting ones. */
const stored = () => db.write(async () => {});
const labelAll = async (tx: Tx, labelledBy?: string) => {
  for (let n = 0; n < 30; n++) await replaceLabel(tx, labelOf(n, n % 2, labelledBy));
};

describe("the figures of a run", () => {
  beforeEach(() =>
    db.write(async (tx) => {
      await addRun(tx, "run_1");
      for (let n = 0; n < 30; n++) {
        await addResult(tx, "run_1", n);
        await insertScores(tx, [scoreOf(`run_1_${n}`, n % 2)]);
      }
    }),
  );

  test.each<[string, (tx: Tx) => Promise<unknown>]>([
    ["a result", (tx) => addResult(tx, "run_1", 30)],
    ["a score", (tx) => insertScores(tx, [scoreOf("run_1_0", 1, { evaluator: "judge@1" })])],
    [
      "scores of several results",
      (tx) =>
        insertScores(
          tx,
          [1, 3].map((n) => scoreOf(`run_1_${n}`, 0, { evaluator: "judge@1", shadow: true })),
        ),
    ],
    ["an outcome", (tx) => setOutcome(tx, "run_1_0", { passed: false, failure: "wrong" })],
    ["the labels of one person", (tx) => labelAll(tx)],
    [
      "a changed label",
      async (tx) => {
        await labelAll(tx);
        for (let n = 0; n < 10; n++) await replaceLabel(tx, labelOf(n, 1 - (n % 2)));
      },
    ],
  ])("are recomputed after %s", async (_, write) => {
    const before = await read();
    expect((await rowOf()).figures?.value).toEqual({ ...before });
    await db.write(write);
    expect(await isStale()).toBe(true);
    const after = await read();
    expect(after).not.toEqual(before);
    expect(after).toEqual(await computeFigures(db, await rowOf()));
    expect((await rowOf()).figures?.value).toEqual({ ...after });
    // These come from the stored figures.
    expect(await read()).toEqual(after);
  });

  test("stay stale if a write finished while they were computed", async () => {
    const gate = Promise.withResolvers<void>();
    const labelling = db.write(async (tx) => {
      await gate.promise;
      await labelAll(tx);
    });
    // Doesn't include the labels, whose transaction is still open. Storing the figures waits for the same lock.
    const early = await history.get(PRINCIPAL, "run_1");
    expect(early.run.statistics[0]?.agreement).toBeNull();
    gate.resolve();
    await labelling;
    await stored();
    expect(await isStale()).toBe(true);
    expect((await read()).statistics[0]?.agreement?.labels).toBe(30);
  });

  test("from another version are recomputed", async () => {
    const figures = await read();
    await db.writer.exclusive(() =>
      db.writer.execute("UPDATE runs SET figures = json_set(figures, '$.version', 0, '$.value.passed', 0.1)"),
    );
    expect(await read()).toEqual(figures);
    expect((await rowOf()).figures?.value.passed).toBe(figures.passed);
  });

  test("can be read if they can't be stored", async () => {
    const write = spyOn(db, "write").mockRejectedValue(new AppError("storage_full", "The disk is full."));
    const { run } = await history.get(PRINCIPAL, "run_1");
    write.mockRestore();
    expect(figuresOf(run)).toEqual(await read());
  });
});

const WAITING = { code: "unavailable", message: "Every node is down.", since: AT.toISOString() };

test.each([
  ["running", null, 15],
  ["running", WAITING, null],
  ["queued", null, null],
  ["paused", null, null],
  ["completed", null, null],
] as const)("a run that is %s has a remaining time only while its calls succeed: %#", (state, waiting, eta) => {
  const counts = {
    ...{ total: 40, created: 40, nextPosition: 40, running: 4, done: 10, errors: 0, judged: 10, passed: 7 },
    ...{ failures: {}, promptTokens: 0, completionTokens: 0, workedMs: 0, sequence: 10, deaths: 0 },
    ...{ activeMs: 5000, perSecond: 2, waiting },
  };
  expect(countsOf({ state }, counts).progress.eta_seconds).toBe(eta);
});

test("a list of 50 runs with stored figures takes one SQL statement, a numbered page takes two", async () => {
  await db.write(async (tx) => {
    for (let n = 0; n < 50; n++) {
      await addRun(tx, `run_${n}`);
      await addResult(tx, `run_${n}`, n);
      await insertScores(tx, [scoreOf(`run_${n}_${n}`, 1)]);
    }
  });
  const sort = { by: "when", isDescending: true } as const;
  const first = await history.list(PRINCIPAL, { limit: 50 });
  await stored();
  const statements = spyOn((db as Db & { $client: Client }).$client, "execute");
  try {
    expect((await history.list(PRINCIPAL, { limit: 50 })).data).toEqual(first.data);
    expect([first.data.length, statements.mock.calls.length]).toEqual([50, 1]);
    statements.mockClear();
    expect((await history.pageOfRuns(PRINCIPAL, { page: 1, pageLength: 50, sort })).data).toHaveLength(50);
    expect(statements.mock.calls.length).toBe(2);
  } finally {
    statements.mockRestore();
  }
});

describe("the figures of an ended batch run with many results", () => {
  const many = async () => {
    const id = await seedRun(db, { samples: 210 });
    const computing = Promise.withResolvers<void>();
    const read = createRunReader(db, async (row) => {
      await computing.promise;
      return computeFigures(db, row);
    });
    return { id, computing, read };
  };
  const setStored = (sql: string) => db.writer.exclusive(() => db.writer.execute(`UPDATE runs SET figures = ${sql}`));

  test("are not waited for: its first reader gets the counts, marked as stale", async () => {
    const { id, computing, read } = await many();
    const early = await read(await rowOf(id));
    expect([early.figures_stale, early.progress.done, early.verdict, early.statistics]).toEqual([true, 210, null, []]);
    const final = read(await rowOf(id), { isFinal: true });
    computing.resolve();
    expect(await final).toMatchObject({ figures_stale: false, verdict: { n: 205 }, latency: { n: 205 } });
    await stored();
    const none = () => Promise.reject(new Error("The stored figures are current."));
    expect(await createRunReader(db, none)(await rowOf(id))).toEqual(await final);
  });

  test("are shown as stale if another version computed them, unless their fields differ", async () => {
    const { id, computing, read } = await many();
    computing.resolve();
    const { verdict } = await read(await rowOf(id), { isFinal: true });
    await stored();
    const slow = createRunReader(db, () => new Promise(() => {}));
    await setStored("json_set(figures, '$.version', 0)");
    expect(await slow(await rowOf(id))).toMatchObject({ figures_stale: true, verdict });
    await setStored("json_remove(figures, '$.value.segments')");
    expect(await slow(await rowOf(id))).toMatchObject({ figures_stale: true, verdict: null, segments: [] });
  });
});
