import type { Db, Reads } from "../../db/client";
import { findDataset } from "../../db/datasets";
import { listLabels } from "../../db/labels";
import * as resultStore from "../../db/results";
import * as runStore from "../../db/runs";
import { insertSamples } from "../../db/samples";
import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { Call } from "../call";
import type { ChatService } from "../chat/service";
import { assertMayStore } from "../content-logging";
import { type SampleContent, toNewSample } from "../datasets/content";
import type { NewSample } from "../datasets/contract";
import { sampleRow } from "../datasets/identity";
import type { DatasetService } from "../datasets/service";
import type { EvaluatorService } from "../evaluators/service";
import type { Seal } from "../http/idempotency";
import { newId } from "../ids";
import { pageOf, readTimeCursor, timeCursor } from "../paging";
import type { Engine } from "../ports/engine";
import type { PromptService } from "../prompts/service";
import type {
  EvaluateRequest,
  Evaluation,
  Output,
  Recomputed,
  RecomputeEval,
  Run,
  RunPage,
  RunQuery,
  RunWithResults,
} from "./contract";
import type { JudgedAnswer } from "./judge/prompts";
import { type PinnedDataset, pinsOf } from "./pins";
import { planScoring } from "./plan";
import { recomputeRun } from "./recompute";
import { answerOf, nameOf } from "./sample-text";
import { type NewScore, type ReferenceScorer, scoreAnswer } from "./scoring";
import { summarizeRun } from "./summary";
import { generateOutput, type ResolvedTarget, resolveTarget, storedOutput } from "./target";
import { outcomeOf } from "./verdict";
import { toResult, toRun, toScoreRow } from "./wire";

export interface EvalService {
  /**
   * Scores one sample now and keeps it as a run. Throws what the target's model throws, not_found, invalid_request, and
   * insufficient_role for a key whose content may not be kept. An evaluator that fails is a score of the state `error`.
   */
  evaluate(call: Call, request: EvaluateRequest, hooks?: EvalHooks): Promise<Evaluation>;
  /** Scores an answer and keeps nothing. Throws not_found for an evaluator, invalid_request. */
  score(call: Call, how: Pick<EvaluateRequest, "evaluators" | "rubric">, answer: JudgedAnswer): Promise<NewScore[]>;
  /** Newest first. */
  list(query: RunQuery): Promise<RunPage>;
  /** A run with a page of its results. Throws not_found. */
  get(id: string, page?: { limit?: number; after?: string }): Promise<RunWithResults>;
  /** One result with its run. Throws not_found. */
  result(id: string): Promise<Evaluation>;
  /** The sample of a run's first result, as it is stored, with the run. Throws not_found. */
  sampleOf(runId: string): Promise<{ run: Run; sample: NewSample }>;
  /**
   * Scores the stored outputs again, beside the scores that are there; what has a value already is not asked again.
   * Throws not_found, invalid_request, and insufficient_role for a member who wants a say in another's run.
   */
  recompute(call: Call, id: string, request: RecomputeEval): Promise<Recomputed>;
}

/** What an evaluation does now. */
export type EvalStage =
  | { step: "answering" }
  /** `index` of `of` evaluators, from 1. */
  | { step: "scoring"; evaluator: string; index: number; of: number };

interface EvalHooks {
  /** Keeps the answer in the transaction that stores the run. */
  seal?: Seal;
  onStage?(stage: EvalStage): void;
}

interface EvalDeps {
  db: Db;
  chat: Pick<ChatService, "answer">;
  datasets: Pick<DatasetService, "sample" | "revision">;
  engine: Pick<Engine, "nodes">;
  evaluators: Pick<EvaluatorService, "choose">;
  log: Pick<Log, "error">;
  prompts: Pick<PromptService, "resolve">;
  reference: ReferenceScorer;
  now?: () => Date;
}

export const createEvals = (deps: EvalDeps): EvalService => {
  const { db, datasets, engine, evaluators, now = () => new Date() } = deps;

  /** The sample that a request names or writes out, its key, and where it comes from. */
  const namedSample = async ({ sample, dataset }: EvaluateRequest) => {
    if ((sample === undefined) === (dataset === undefined)) {
      throw new AppError("invalid_request", "Give a sample, or name one of a dataset: one of the two.", {
        param: "sample",
      });
    }
    if (sample !== undefined) return { sample, dataset: null };
    if (dataset === undefined) throw new Error("One of the two is there.");
    const { dataset: named, revision } = await datasets.revision(dataset.dataset, dataset.revision);
    const { id: _, hash: __, ...found } = await datasets.sample(named.id, dataset.key, revision.revision);
    const pinned: PinnedDataset = { id: named.id, name: named.name, revision: revision.revision, hash: revision.hash };
    return { sample: found, dataset: pinned };
  };

  const listPage = async (runId: string, limit: number, after: string | undefined) => {
    const rows = await resultStore.listResults(db, runId, { limit: limit + 1, cursor: readResultCursor(after) });
    const ids = rows.map(({ id }) => id);
    const scores = Map.groupBy(await resultStore.listScores(db, ids), ({ resultId }) => resultId);
    const labels = Map.groupBy(await listLabels(db, ids), ({ resultId }) => resultId);
    return pageOf(
      rows,
      limit,
      (row) => toResult(row, scores.get(row.id) ?? [], labels.get(row.id) ?? []),
      ({ repeat, sampleKey }) => `${repeat}.${sampleKey}`,
    );
  };

  const find = async (id: string): Promise<runStore.RunRow> => {
    const row = await runStore.findRun(db, id);
    if (row) return row;
    throw new AppError("not_found", `There is no run ${id}. GET /v1/evals lists what there is.`, { param: "id" });
  };

  const get = async (id: string, { limit = 20, after }: { limit?: number; after?: string } = {}) => {
    const row = await find(id);
    const [run, results] = [toRun(row, await summarizeRun(db, row)), await listPage(id, limit, after)];
    return { run, results };
  };

  return {
    get,

    async result(id) {
      const row = await resultStore.findResult(db, id);
      if (!row) throw new AppError("not_found", `There is no result ${id}.`, { param: "id" });
      const run = await find(row.runId);
      const [scores, labels] = [await resultStore.listScores(db, [id]), await listLabels(db, [id])];
      return { run: toRun(run, await summarizeRun(db, run)), result: toResult(row, scores, labels) };
    },

    async sampleOf(runId) {
      const row = await find(runId);
      const [first] = await resultStore.listResults(db, runId, { limit: 1 });
      if (!first) throw new AppError("not_found", `The run ${runId} has no result.`, { param: "id" });
      const sample = toNewSample({ ...(first.sample as unknown as SampleContent), key: first.sampleKey });
      return { run: toRun(row, await summarizeRun(db, row)), sample };
    },

    async evaluate(call, request, { seal, onStage } = {}) {
      assertMayStore(call.principal, "evaluations", "Use another key.");
      const startedAt = now();
      const { sample, dataset } = await namedSample(request);
      const target = await resolveTarget(deps, request.target, sample.output != null);
      const chosen = await evaluators.choose(request.evaluators, request.shadow_evaluators);
      const plan = planScoring(chosen, request.rubric, answerOf(sample, ""));
      const seed = request.seed ?? 0;

      const made = await outputOf(deps, call, target, sample, seed);
      const scores = await scoreAnswer(deps, call, plan, answerOf(sample, made.output.text), (evaluator, index) =>
        onStage?.({ step: "scoring", evaluator, index, of: chosen.length }),
      );
      const pins = pinsOf({ engine, dataset, target, made, evaluators: chosen, rubric: request.rubric, seed });
      const runId = newId("run");
      const resultId = newId("res");
      return db.write(async (tx) => {
        const at = now();
        const rows = scores.map((score) => toScoreRow(resultId, { ...score, scored_at: at.toISOString() }));
        const stored = sampleRow(sample);
        await insertSamples(tx, [stored.row]);
        await runStore.insertRun(tx, {
          id: runId,
          kind: "single",
          name: request.name ?? nameOf(sample),
          state: "completed",
          pins,
          datasetId: dataset?.id,
          prompt: target.target.prompt,
          createdBy: call.principal.keyId,
          createdAt: startedAt,
          startedAt,
          endedAt: at,
        });
        await resultStore.insertResult(tx, {
          id: resultId,
          runId,
          sampleId: stored.row.id,
          sampleKey: stored.key,
          state: "done",
          output: { ...made.output },
          attempts: 1,
          createdAt: at,
          ...outcomeOf(made.output, scores),
        });
        await resultStore.insertScores(tx, rows);
        // Read in the transaction that wrote it, so that what is sealed is what is there.
        const answer = await readEvaluation(tx, runId, resultId);
        await seal?.(tx, answer);
        return answer;
      });
    },

    async score(call, how, answer) {
      return scoreAnswer(deps, call, planScoring(await evaluators.choose(how.evaluators), how.rubric, answer), answer);
    },

    async list({ limit = 20, after, dataset, passed, ...filter }) {
      const cursor = readTimeCursor(after);
      // A dataset that is hidden is known by its id alone.
      const datasetId = dataset === undefined ? undefined : ((await findDataset(db, dataset))?.id ?? dataset);
      const rows = await runStore.listRuns(db, {
        limit: limit + 1,
        cursor: cursor && { createdAt: cursor.at, id: cursor.id },
        datasetId,
        passed: passed === undefined ? undefined : passed === "true",
        ...filter,
      });
      const page = pageOf(
        rows,
        limit,
        (row) => row,
        ({ createdAt, id }) => timeCursor(createdAt, id),
      );
      const data: Run[] = [];
      for (const row of page.data) data.push(toRun(row, await summarizeRun(db, row)));
      return { ...page, data };
    },

    async recompute(call, id, request) {
      const added = await recomputeRun(deps, call, await find(id), request);
      return { added, ...(await get(id)) };
    },
  };
};

const outputOf = async (
  deps: EvalDeps,
  call: Call,
  target: ResolvedTarget,
  sample: NewSample,
  seed: number,
): Promise<{ output: Output; model: string | null; node: string | null }> =>
  target.target.kind === "stored"
    ? { output: storedOutput(sample.output ?? "", sample), model: null, node: null }
    : generateOutput(deps, call, target, sample, seed);

const readEvaluation = async (tx: Reads, runId: string, resultId: string): Promise<Evaluation> => {
  const [run, result] = [await runStore.findRun(tx, runId), await resultStore.findResult(tx, resultId)];
  if (!run || !result) throw new Error("What was just written is not there.");
  const scores = await resultStore.listScores(tx, [resultId]);
  return { run: toRun(run, await summarizeRun(tx, run)), result: toResult(result, scores, []) };
};

const readResultCursor = (after: string | undefined): resultStore.ResultCursor | undefined => {
  if (after === undefined) return undefined;
  const [, repeat, sampleKey] = /^(\d{1,9})\.(.+)$/s.exec(after) ?? [];
  if (repeat === undefined || sampleKey === undefined) {
    throw new AppError("invalid_request", "after is not a next_cursor of this list.", { param: "after" });
  }
  return { repeat: Number(repeat), sampleKey };
};
