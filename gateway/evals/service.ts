import type { Db } from "../../db/client";
import * as resultStore from "../../db/results";
import * as runStore from "../../db/runs";
import { insertSamples } from "../../db/samples";
import { AppError } from "../../lib/errors";
import { newId } from "../../lib/ids";
import type { Log } from "../../lib/log";
import type { Call } from "../call";
import type { ChatService } from "../chat/service";
import { assertMayStore } from "../content-logging";
import { sampleRow } from "../datasets/content";
import type { NewSample } from "../datasets/contract";
import type { DatasetService } from "../datasets/service";
import { type Degradations, evaluationsOff } from "../health/degradations";
import type { Seal } from "../idempotency/service";
import type { Engine } from "../ports/engine";
import type { PromptService } from "../prompts/service";
import type { EvaluateRequest, Evaluation, Recomputed, RecomputeEval } from "./contract";
import type { EvaluatorChoice } from "./evaluator";
import { createHistory, type EvalHistory, readResult } from "./history";
import { type PinnedDataset, pinsOf } from "./pins";
import { planScoring, withoutObstacles } from "./plan";
import { recomputeRun } from "./recompute";
import { answerOf, expectedAnswer, type ScoredAnswer } from "./scored-answer";
import { type NewScore, type ReferenceScorer, scoreAnswer } from "./scoring";
import type { ComputeFigures } from "./summary";
import { makeOutput, questionOf, type RagTarget, resolveTarget } from "./target";
import { outcomeOf } from "./verdict";
import { toScoreRow } from "./wire";

export interface EvalService extends EvalHistory {
  /**
   * Scores one sample now and stores it as a run. An evaluator that fails gives scores in the `error` state. Throws
   * what the target's model throws, unavailable during `no_evals`, not_found, invalid_request, and insufficient_role for a key whose content may not
   * be stored.
   */
  evaluate(call: Call, request: EvaluateRequest, hooks?: EvalHooks): Promise<Evaluation>;
  /** Scores an answer and stores nothing. Throws not_found for an evaluator, invalid_request. */
  score(call: Call, how: Pick<EvaluateRequest, "evaluators" | "rubric">, answer: ScoredAnswer): Promise<NewScore[]>;
  /**
   * Scores the stored outputs again and keeps the earlier scores. A criterion with a value is not scored again. Throws
   * not_found, invalid_request, and insufficient_role for a member who would change the verdict of another key's run.
   */
  recompute(call: Call, id: string, request: RecomputeEval): Promise<Recomputed>;
}

/** The current step of an evaluation. */
export type EvalStage =
  | { step: "preparing" }
  /** A model is writing the answer. Skipped if the sample has one. */
  | { step: "answering" }
  /** Evaluator `index` of `of`, from 1. */
  | { step: "scoring"; evaluator: string; index: number; of: number };

interface EvalHooks {
  /** Stores the response, in the transaction that stores the run. */
  seal?: Seal;
  onStage?(stage: EvalStage): void;
}

interface EvalDeps {
  db: Db;
  chat: Pick<ChatService, "answer">;
  datasets: Pick<DatasetService, "sample" | "revision">;
  engine: Pick<Engine, "nodes">;
  evaluators: EvaluatorChoice;
  log: Pick<Log, "error">;
  prompts: Pick<PromptService, "resolve">;
  rag: RagTarget;
  reference: ReferenceScorer;
  /** Default: in this thread. */
  computeFigures?: ComputeFigures;
  degradations?: Pick<Degradations, "has">;
  now?: () => Date;
}

export const createEvals = (deps: EvalDeps): EvalService => {
  const { db, datasets, engine, evaluators, computeFigures, now = () => new Date() } = deps;
  const history = createHistory(db, computeFigures);

  /** The sample of a request, and the dataset revision it comes from. */
  const namedSample = async ({ sample, dataset }: EvaluateRequest) => {
    if ((sample === undefined) === (dataset === undefined)) {
      const problem = sample ? "Send either `sample` or `dataset`, not both." : "Send `sample` or `dataset`.";
      throw new AppError("invalid_request", problem, { param: "sample" });
    }
    if (sample !== undefined) return { sample, dataset: null };
    if (dataset === undefined) throw new Error("The request has neither sample nor dataset.");
    const { dataset: named, revision } = await datasets.revision(dataset.dataset, dataset.revision);
    const { id: _, hash: __, ...found } = await datasets.sample(named.id, dataset.key, revision.revision);
    const pinned: PinnedDataset = { id: named.id, name: named.name, revision: revision.revision, hash: revision.hash };
    return { sample: found, dataset: pinned };
  };

  return {
    ...history,

    async evaluate(call, request, { seal, onStage } = {}) {
      assertMayStore(call.principal, "evaluations", "Use another key.");
      if (deps.degradations?.has("no_evals")) throw evaluationsOff();
      const startedAt = now();
      const { sample, dataset } = await namedSample(request);
      const target = await resolveTarget(deps, call.principal, request.target, sample.output != null);
      const chosen = await evaluators.choose(request.evaluators, request.shadow_evaluators);
      const plan = planScoring(chosen, request.rubric, expectedAnswer(sample, target.target));
      const seed = request.seed ?? 0;

      if (target.target.kind !== "stored") onStage?.({ step: "answering" });
      const made = await makeOutput(deps, call, target, sample, seed);
      const answer = answerOf(sample, made.output);
      const planned = request.rubric ? plan : withoutObstacles(plan, answer);
      const scores = await scoreAnswer(deps, call, planned, answer, (evaluator, index) =>
        onStage?.({ step: "scoring", evaluator, index, of: chosen.length }),
      );
      const { node, output, index } = made;
      const model = made.model === null ? null : { id: made.model, revision: output.model_revision };
      const pins = pinsOf({
        engine,
        dataset,
        target,
        model,
        node,
        index,
        evaluators: chosen,
        rubric: request.rubric,
        seed,
      });
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
        const row: resultStore.NewResultRow = {
          id: resultId,
          runId,
          sampleId: stored.row.id,
          sampleKey: stored.key,
          state: "done",
          output: { ...made.output },
          attempts: 1,
          createdAt: at,
          endedAt: at,
          latencyMs: made.output.latency?.total ?? null,
          ...outcomeOf(made.output, scores, sample),
        };
        await resultStore.insertResult(tx, row, rows);
        // Read in the same transaction, so that the sealed response is the stored one.
        const evaluation = await readResult(tx, resultId, call.principal);
        await seal?.(tx, evaluation);
        return evaluation;
      });
    },

    async score(call, how, answer) {
      return scoreAnswer(deps, call, planScoring(await evaluators.choose(how.evaluators), how.rubric, answer), answer);
    },

    async recompute(call, id, request) {
      const added = await recomputeRun(deps, call, await history.find(call.principal, id), request);
      return { added, ...(await history.get(call.principal, id)) };
    },
  };
};

const MAX_RUN_NAME_LENGTH = 80;

/** The name of a single-sample run: the start of its question. */
const nameOf = ({ input }: Pick<NewSample, "input">): string => {
  const line = (questionOf(input) ?? "").trim().replaceAll(/\s+/g, " ");
  if (line === "") return "Evaluation";
  return line.length > MAX_RUN_NAME_LENGTH ? `${line.slice(0, MAX_RUN_NAME_LENGTH - 1).trimEnd()}…` : line;
};
