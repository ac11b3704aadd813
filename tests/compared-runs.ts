import type { Db } from "../db/client";
import { insertDataset, publishRevision, stageRevision } from "../db/datasets";
import { insertResult, type NewScoreRow } from "../db/results";
import { insertRun, type RunRow } from "../db/runs";
import { insertSamples } from "../db/samples";
import { Comparer } from "../gateway/compare/comparer";
import { createCompare } from "../gateway/compare/service";
import { sampleRow } from "../gateway/datasets/content";
import type { Criterion, FailureKind } from "../gateway/evals/contract";
import { BUILT_IN_CRITERIA, criterionHash } from "../gateway/evals/rubric";
import { newId } from "../lib/ids";
import { temporaryDb } from "./db/temporary";

const AT = new Date("2026-11-26T12:00:00Z");

type MoreOfRun = Partial<Omit<StoredRun, "samples">>;

/** A database with the service that compares its runs and checks them against gates. */
export const openComparing = async () => {
  const db = await temporaryDb();
  const datasetId = await insertEmptyDataset(db, "questions");
  const comparer = new Comparer(db);
  const service = createCompare({
    db,
    compare: (question) => comparer.compare(question),
    gate: (question) => comparer.gate(question),
  });
  const run = (samples: string | StoredSample[], more: MoreOfRun = {}): Promise<string> =>
    insertComparedRun(db, {
      ...{ name: "a run", datasetId, samples: typeof samples === "string" ? samplesFrom(samples) : samples },
      ...more,
    });
  return { db, datasetId, service, run };
};

/** One result of a sample. */
interface StoredResult {
  /** null: an error. */
  passed: boolean | null;
  /** It has an output but no verdict: its judge failed, or its criterion has no threshold. */
  undecided?: "judge_error" | "no_threshold";
  /** Failure kind of an error; default: timeout. */
  failure?: FailureKind;
  /** Default: 1 if it passed, else 0. */
  value?: number;
  text?: string;
  totalMs?: number;
  /** The criterion doesn't apply to the sample: the result has a verdict, but no score of it. */
  isUnscored?: boolean;
}

export interface StoredSample {
  key: string;
  /** Default: derived from the key. A different input makes different content. */
  input?: string;
  group?: string;
  tags?: string[];
  /** One per repeat. */
  results: StoredResult[];
}

interface StoredRun {
  name: string;
  datasetId: string | null;
  samples: readonly StoredSample[];
  kind?: RunRow["kind"];
  state?: RunRow["state"];
  evaluator?: string;
  /** Changes with every change to the evaluator. */
  evaluatorHash?: string;
  judge?: { model: string; model_revision: string | null };
  criterion?: Criterion;
  /** The index that answered; default: the model alone. */
  index?: string;
  /** Expected number of samples, if some are missing. */
  expected?: number;
}

const [CORRECTNESS] = BUILT_IN_CRITERIA;
if (!CORRECTNESS) throw new Error("There are no built-in criteria.");

/** Stores an empty dataset and returns its id. */
export const insertEmptyDataset = async (db: Db, name: string): Promise<string> => {
  const [id, revisionId] = [newId("ds"), newId("rev")];
  await db.write(async (tx) => {
    await insertDataset(tx, { id, name, createdBy: "key_1", createdAt: AT, updatedAt: AT });
    await stageRevision(tx, { id: revisionId, jobId: null, source: null, createdBy: "key_1" }, AT);
    const counts = { samples: 0, added: 0, changed: 0, removed: 0, tagCount: 0 };
    const content = { hash: "0".repeat(64), tags: [], report: {} };
    await publishRevision(tx, revisionId, { datasetId: id, revision: 1, ...counts, ...content });
  });
  return id;
};

/** Stores a run with its results and scores, as the jobs worker would, and returns its id. */
const insertComparedRun = async (db: Db, stored: StoredRun): Promise<string> => {
  const { name, datasetId, samples, kind = "batch", state = "completed", evaluator = "exact@1" } = stored;
  const { evaluatorHash = evaluator, criterion = CORRECTNESS, judge } = stored;
  const id = newId("run");
  const repeats = Math.max(1, ...samples.map(({ results }) => results.length));
  const total = repeats * (stored.expected ?? samples.length);
  const all = samples.flatMap(({ results }) => results);
  const pins = {
    dataset: datasetId && { id: datasetId, name: `dataset ${datasetId}`, revision: 1, hash: "0".repeat(64) },
    target: { kind: stored.index ? "rag" : "chat", model: "smollm2-135m-instruct", index: stored.index },
    ...{ model_revision: null, node_version: null, engine: null, prompt_hash: null, index_revision: null },
    evaluators: [{ evaluator, shadow: false, hash: evaluatorHash }],
    ...{ rubric: null, rubric_hash: null, seed: 0, repeats, code_version: "test", host: {} },
  };
  const progress = {
    ...{ total, created: total, nextPosition: samples.length, running: 0, done: all.length },
    ...{ errors: all.filter(({ passed }) => passed === null).length, failures: {} },
    ...{ judged: all.filter(({ passed }) => passed !== null).length, passed: all.filter((each) => each.passed).length },
    ...{
      promptTokens: 0,
      completionTokens: 0,
      workedMs: 0,
      sequence: all.length,
      deaths: 0,
      activeMs: 0,
      perSecond: 0,
    },
  };
  await db.write(async (tx) => {
    const ended = ["completed", "failed", "cancelled"].includes(state) ? AT : null;
    const row = { id, kind, name, state, pins, datasetId, progress, settings: {}, createdBy: "key_1" };
    await insertRun(tx, { ...row, createdAt: AT, startedAt: AT, endedAt: ended });
    for (const [position, { key, input = `Question ${key}?`, group, tags, results }] of samples.entries()) {
      const { row: sample } = sampleRow({ key, input, references: ["Yes"], group, tags });
      await insertSamples(tx, [sample]);
      for (const [
        repeat,
        {
          passed,
          undecided,
          failure: error = "timeout",
          value = Number(passed),
          text = `Answer ${key}`,
          totalMs = 100,
          isUnscored = false,
        },
      ] of results.entries()) {
        const resultId = newId("res");
        const latency = { queue: 0, ttft: totalMs / 10, total: totalMs };
        const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
        const output = { text, contexts: [], citations: [], cache: { status: "miss" }, latency, usage };
        const result = { id: resultId, runId: id, sampleId: sample.id, sampleKey: key, repeat, position };
        if (passed === null && !undecided) {
          await insertResult(tx, { ...result, state: "error", failure: error });
          continue;
        }
        const score: NewScoreRow = {
          ...{ resultId, metric: criterion.name, criterion, criterionHash: criterionHash(criterion) },
          ...{ evaluator, evaluatorHash, state: "scored", value, passed, shadow: false, judge },
          ...{ claims: [], votes: [], scoredAt: AT },
          // A judge that failed is not named.
          ...(undecided === "judge_error" && { state: "error", value: null, judge: null }),
        };
        const failure = passed === null ? (undecided === "judge_error" ? undecided : null) : passed ? null : "wrong";
        await insertResult(
          tx,
          { ...result, state: "done", output, passed, failure, overall: value },
          isUnscored ? [] : [score],
        );
      }
    }
  });
  return id;
};

/** One sample per character: "1" passes, "0" fails, "e" is an error, and "." is missing. */
export const samplesFrom = (verdicts: string): StoredSample[] =>
  [...verdicts].flatMap((verdict, n) =>
    verdict === "." ? [] : [{ key: `k${n}`, results: [{ passed: verdict === "e" ? null : verdict === "1" }] }],
  );
