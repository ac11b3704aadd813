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
import type { NewSample } from "../datasets/contract";
import { sampleRow } from "../datasets/identity";
import type { DatasetService } from "../datasets/service";
import type { ChosenEvaluator, EvaluatorService } from "../evaluators/service";
import type { Seal } from "../http/idempotency";
import { newId } from "../ids";
import { pageOf, readTimeCursor, timeCursor } from "../paging";
import type { Engine } from "../ports/engine";
import type { PromptService } from "../prompts/service";
import type {
  Criterion,
  EvaluateRequest,
  Evaluation,
  Output,
  RecomputeEval,
  Run,
  RunPage,
  RunQuery,
  RunWithResults,
} from "./contract";
import { failureOf, verdictOf } from "./failure";
import type { JudgedAnswer } from "./judge/prompts";
import { type PinnedDataset, pinsOf } from "./pins";
import { criteriaOf, rubricHash } from "./rubric";
import { applicable, decidedBy, type NewScore, type ReferenceScorer, type ScoringPlan, scoreAnswer } from "./scoring";
import { summarizeRun } from "./summary";
import { generateOutput, questionOf, type ResolvedTarget, resolveTarget, STORED, storedOutput } from "./target";
import { toResult, toRun } from "./wire";

/** Results that a recomputation does while its caller waits. */
const MOST_RECOMPUTED = 100;
const NAME_LENGTH = 80;

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
  /** Scores the stored outputs again, beside the scores that are there. Throws not_found, invalid_request. */
  recompute(call: Call, id: string, request: RecomputeEval): Promise<RunWithResults>;
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
  const sampleOf = async ({ sample, dataset }: EvaluateRequest) => {
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

    async evaluate(call, request, { seal, onStage } = {}) {
      assertMayStore(call.principal, "evaluations", "Use another key.");
      const startedAt = now();
      const { sample, dataset } = await sampleOf(request);
      const target = sample.output == null ? await resolveTarget(deps, request.target) : STORED;
      const chosen = await evaluators.choose(request.evaluators, request.shadow_evaluators);
      const plan = planOf(chosen, request, answerOf(sample, sample.output ?? ""));
      const seed = request.seed ?? 0;

      const made = await outputOf(deps, call, target, sample, seed);
      const scores = await scoreAnswer(deps, call, plan, answerOf(sample, made.output.text), (evaluator, index) =>
        onStage?.({ step: "scoring", evaluator, index, of: chosen.length }),
      );
      const pins = pinsOf({ engine, dataset, target, made, plan, seed });
      const evaluation = await db.write(async (tx) => {
        const at = now();
        const stored = sampleRow(sample);
        const runId = newId("run");
        const resultId = newId("res");
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
          ...outcomeOf(made.output, scores, plan.criteria),
        });
        await resultStore.insertScores(tx, toRows(resultId, scores, at));
        // Read in the transaction that wrote it, so that what is sealed is what is there.
        const answer = await readEvaluation(tx, runId, resultId);
        await seal?.(tx, answer);
        return answer;
      });
      return evaluation;
    },

    async score(call, how, answer) {
      return scoreAnswer(deps, call, planOf(await evaluators.choose(how.evaluators), how, answer), answer);
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

    async recompute(call, id, { evaluators: names, rubric, shadow = false }) {
      assertMayStore(call.principal, "evaluations", "Use another key.");
      const run = await find(id);
      const rows = await resultStore.listResults(db, id, { limit: MOST_RECOMPUTED + 1 });
      if (rows.length > MOST_RECOMPUTED) {
        throw new AppError(
          "invalid_request",
          `This run has more than ${MOST_RECOMPUTED} results: recompute it as a batch, POST /v1/batch-evals/${id}/recompute.`,
        );
      }
      const chosen = (await evaluators.choose(names)).map((evaluator) => ({ ...evaluator, shadow }));
      const pinned = run.pins as { rubric?: EvaluateRequest["rubric"] };
      for (const row of rows.filter(({ state }) => state === "done")) {
        const output = row.output as Output | null;
        const answer = answerOf(row.sample as unknown as NewSample, output?.text ?? "");
        const plan = planOf(chosen, { rubric: rubric ?? pinned.rubric, evaluators: [...names] }, answer);
        const scores = await scoreAnswer(deps, call, plan, answer);
        await db.write((tx) => resultStore.insertScores(tx, toRows(row.id, scores, now())));
      }
      return get(id);
    },
  };
};

const answerOf = (sample: NewSample, output: string): JudgedAnswer => ({
  question: questionOf(sample.input),
  references: sample.references ?? [],
  contexts: sample.contexts ?? [],
  output,
});

const outputOf = async (
  deps: EvalDeps,
  call: Call,
  target: ResolvedTarget,
  sample: NewSample,
  seed: number,
): Promise<{ output: Output; model: string | null; node: string | null }> =>
  sample.output == null
    ? generateOutput(deps, call, target, sample, seed)
    : { output: storedOutput(sample.output, sample), model: null, node: null };

/**
 * Which criteria count. A rubric that is given holds as it stands, and a criterion of it that nobody decides is refused;
 * without one, those of the evaluators that the sample has something to compare with. Throws invalid_request.
 */
const planOf = (
  evaluators: readonly ChosenEvaluator[],
  { rubric, evaluators: named }: Pick<EvaluateRequest, "rubric" | "evaluators">,
  answer: JudgedAnswer,
): ScoringPlan => {
  if (evaluators.length === 0) {
    throw new AppError("invalid_request", "No evaluator is active. Name one: evaluators.", { param: "evaluators" });
  }
  const criteria = rubric ? criteriaOf(rubric) : applicable(criteriaOfAll(evaluators), answer);
  if (criteria.length === 0) {
    throw new AppError("invalid_request", "There is nothing to score by: give references, contexts or a rubric.", {
      param: "sample",
    });
  }
  for (const [index, criterion] of criteria.entries()) {
    if (evaluators.some((evaluator) => decidedBy(evaluator, [criterion]).length > 0)) continue;
    const asked = named ? named.join(", ") : "the active evaluators";
    throw new AppError("invalid_request", `Nobody decides "${criterion.name}": ${asked} can't. Name a judge.`, {
      param: `rubric.criteria.${index}`,
    });
  }
  return { evaluators, criteria, rubricHash: rubricHash(criteria) };
};

/** The evaluators' own criteria, each name once; who has the say comes before who shadows. */
const criteriaOfAll = (evaluators: readonly ChosenEvaluator[]): Criterion[] => {
  const inOrder = evaluators.toSorted((a, b) => Number(a.shadow) - Number(b.shadow));
  const byName = new Map<string, Criterion>();
  for (const { criteria } of inOrder) {
    for (const criterion of criteria) if (!byName.has(criterion.name)) byName.set(criterion.name, criterion);
  }
  return [...byName.values()];
};

const outcomeOf = (output: Output, scores: readonly NewScore[], criteria: readonly Criterion[]) => {
  const verdicts = scores
    .filter(({ shadow }) => !shadow)
    .map(({ metric, passed, state }) => ({ metric, passed, isError: state === "error" }));
  const thresholds = new Map(criteria.map(({ name, threshold }) => [name, threshold]));
  const passed = verdictOf(verdicts, (metric) => thresholds.get(metric) !== null);
  return { passed, failure: failureOf(output, verdicts, passed) };
};

const toRows = (resultId: string, scores: readonly NewScore[], at: Date): resultStore.NewScoreRow[] =>
  scores.map(({ rubric_hash: rubricHashOfScore, ...score }) => ({
    ...score,
    resultId,
    rubricHash: rubricHashOfScore,
    scoredAt: at,
  }));

const readEvaluation = async (tx: Reads, runId: string, resultId: string): Promise<Evaluation> => {
  const [run, result] = [await runStore.findRun(tx, runId), await resultStore.findResult(tx, resultId)];
  if (!run || !result) throw new Error("What was just written is not there.");
  const scores = await resultStore.listScores(tx, [resultId]);
  return { run: toRun(run, await summarizeRun(tx, run)), result: toResult(result, scores, []) };
};

const nameOf = (sample: NewSample): string => {
  const line = (questionOf(sample.input) ?? "").trim().replaceAll(/\s+/g, " ");
  if (line === "") return "Evaluation";
  return line.length > NAME_LENGTH ? `${line.slice(0, NAME_LENGTH - 1).trimEnd()}…` : line;
};

const readResultCursor = (after: string | undefined): resultStore.ResultCursor | undefined => {
  if (after === undefined) return undefined;
  const [, repeat, sampleKey] = /^(\d{1,9})\.(.+)$/s.exec(after) ?? [];
  if (repeat === undefined || sampleKey === undefined) {
    throw new AppError("invalid_request", "after is not a next_cursor of this list.", { param: "after" });
  }
  return { repeat: Number(repeat), sampleKey };
};
