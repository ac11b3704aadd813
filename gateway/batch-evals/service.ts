import { appendAudit } from "../../db/audit";
import { setRecomputeJob, updateBatchRun } from "../../db/batch-evals";
import type { Db, Reads, Tx } from "../../db/client";
import { findRevision } from "../../db/datasets";
import { insertJob } from "../../db/jobs";
import { findRun, insertRun, type RunRow } from "../../db/runs";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { newId } from "../../lib/ids";
import { assertMayStore } from "../content-logging";
import type { DatasetService } from "../datasets/service";
import type { RunPage, RunPins, RunQuery } from "../evals/contract";
import type { EvaluatorChoice } from "../evals/evaluator";
import type { RunReader } from "../evals/history";
import { pinsOf } from "../evals/pins";
import { planScoring } from "../evals/plan";
import { assertMayDecide } from "../evals/recompute";
import type { ScoredAnswer } from "../evals/scored-answer";
import type { EvalService } from "../evals/service";
import { type ComputeFigures, createRunReader } from "../evals/summary";
import { assertUnchanged, type RagTarget, resolveTarget } from "../evals/target";
import type { Seal } from "../idempotency/service";
import type { Models } from "../models/registry";
import type { Engine } from "../ports/engine";
import type { Principal } from "../principal";
import type { PromptService } from "../prompts/service";
import type { RagIndex } from "../rag/indexes/contract";
import type {
  BatchEval,
  BatchEvalPlan,
  PlanBatchEval,
  RecomputeBatchEval,
  ResumeBatchEval,
  StartBatchEval,
} from "./contract";
import { estimateRun, stillIngesting, surveySamples } from "./estimate";
import { type BatchEvents, createEvents } from "./events";
import { BATCH_KIND, type BatchPayload, newProgress, RECOMPUTE_KIND, type RecomputePayload } from "./job";
import { type BatchResults, createBatchResults } from "./results";
import { createBatchReader, type SlotPrice } from "./wire";

export interface BatchEvalService extends BatchResults {
  /** Estimates a run without starting it. Throws not_found, invalid_request, model_not_found, conflict for an index. */
  plan(principal: Principal, request: PlanBatchEval): Promise<BatchEvalPlan>;
  /**
   * Stores a run for a worker. Throws what `plan` throws, insufficient_role if its outputs may not be stored, and conflict
   * while documents are being added to its index.
   */
  start(principal: Principal, request: StartBatchEval, seal: Seal): Promise<BatchEval>;
  /** Newest first. */
  list(reader: RunReader, query: RunQuery): Promise<RunPage>;
  /** Throws not_found, as every method does, also for a run over an index that the caller may not use. */
  get(reader: RunReader, id: string): Promise<BatchEval>;
  events: BatchEvents;
  /** Running samples finish, and no others start. Throws conflict for a run that has ended. */
  pause(principal: Principal, id: string): Promise<BatchEval>;
  /** Running samples stop within a second. Throws conflict for a run that has ended. */
  cancel(principal: Principal, id: string): Promise<BatchEval>;
  /**
   * Continues a run on behalf of the caller's key. Throws conflict for a run with nothing left to do, and for one whose
   * index has changed.
   */
  resume(principal: Principal, id: string, request: ResumeBatchEval): Promise<BatchEval>;
  /** Scores a run's stored outputs again. Throws conflict while the run is in progress, not_found, invalid_request. */
  recompute(principal: Principal, id: string, request: RecomputeBatchEval, seal: Seal): Promise<BatchEval>;
}

interface BatchDeps {
  db: Db;
  datasets: Pick<DatasetService, "revision">;
  engine: Pick<Engine, "nodes">;
  evals: Pick<EvalService, "list">;
  evaluators: EvaluatorChoice;
  models: Pick<Models, "resolve">;
  prompts: Pick<PromptService, "resolve">;
  indexes: { get(principal: Principal, id: string): Promise<Pick<RagIndex, "status">> };
  rag: RagTarget;
  computeFigures: ComputeFigures;
  price: Pick<Config["gateway"], "gpuPricePerHour" | "currency">;
  now?: () => Date;
}

const ALL_CONTENT: ScoredAnswer = {
  ...{ question: "", references: ["a"], contexts: ["a"], output: "" },
  calls: { expected: [], made: [], tools: [] },
};
const ENDED: ReadonlySet<RunRow["state"]> = new Set(["completed", "failed", "cancelled"]);

export const createBatchEvals = (deps: BatchDeps): BatchEvalService => {
  const { db, datasets, engine, evals, evaluators, models, now = () => new Date() } = deps;
  const toBatchEval = createBatchReader(createRunReader(db, deps.computeFigures), slotPriceOf(deps));

  /** Resolves all names of a request, and checks that its parts fit together. */
  const prepare = async (principal: Principal, request: PlanBatchEval) => {
    const { dataset, revision } = await datasets.revision(request.dataset, request.revision);
    const stored = await findRevision(db, dataset.id, revision.revision);
    if (!stored) throw new AppError("not_found", `Dataset "${request.dataset}" not found.`, { param: "dataset" });
    const choice = request.samples ?? {};
    const survey = await surveySamples(db, stored, choice);
    if (survey.samples === 0) {
      throw new AppError("invalid_request", `No sample in "${dataset.name}" has one of these tags.`, {
        param: "samples.tags",
      });
    }
    const isStored = request.target.kind === "stored";
    const target = await resolveTarget(deps, principal, request.target, isStored);
    const model = isStored ? null : models.resolve(principal, "chat", request.target.model);
    const index = target.index && {
      ...{ id: target.index.id, name: target.index.name },
      retrieval: { ...target.index.retrieval, ...target.target.retrieval },
      status: (await deps.indexes.get(principal, target.index.id)).status,
    };
    const chosen = await evaluators.choose(request.evaluators, request.shadow_evaluators);
    const planned = planScoring(chosen, request.rubric, ALL_CONTENT);
    const samples = Math.min(survey.samples, choice.limit ?? survey.samples);
    const { repeats = 1 } = request;
    const { max_tokens: maxTokens = 0, temperature = 0 } = target.target;
    const sendsContexts = ["contexts", "context"].some((name) => target.prompt?.variables.includes(name));
    const estimated = {
      ...{ survey, samples, repeats, evaluators: planned, datasetId: dataset.id },
      generation: model && { model: model.id, maxTokens, temperature, index, sendsContexts },
    };
    const pins = pinsOf({
      engine,
      dataset: { id: dataset.id, name: dataset.name, revision: revision.revision, hash: revision.hash },
      samples: request.samples,
      target,
      model: model && { id: model.id, revision: model.isKnown ? model.revision : null },
      node: null,
      index: target.index,
      evaluators: chosen,
      rubric: request.rubric,
      seed: request.seed ?? 0,
      repeats,
    });
    return { dataset, target, estimated, pins, results: samples * repeats };
  };

  const find = async (reads: Reads, id: string, { allowedIndexes }: RunReader): Promise<RunRow> => {
    const row = await findRun(reads, id, allowedIndexes);
    if (row?.kind === "batch" && row.settings) return row;
    throw new AppError("not_found", `Batch run ${id} not found. GET /v1/batch-evals lists the runs.`, { param: "id" });
  };

  const enqueue = async (tx: Tx, principal: Principal, payload: BatchPayload): Promise<string> => {
    const { keyId: createdBy, traceparent } = principal;
    const job = { id: newId("job"), kind: BATCH_KIND, payload: { ...payload }, createdBy, traceparent };
    await insertJob(tx, job, [null], now());
    return job.id;
  };

  /** Changes a run in a transaction that has read it, and records who did it. `decide` is false if it changed nothing. */
  const change = async (
    principal: Principal,
    id: string,
    action: string,
    decide: (tx: Tx, row: RunRow) => Promise<boolean>,
    seal?: Seal,
  ): Promise<BatchEval> =>
    db.write(async (tx) => {
      const isChanged = await decide(tx, await find(tx, id, principal));
      if (isChanged) await appendAudit(tx, { at: now(), actor: principal, action, target: id });
      const changed = await toBatchEval(tx, await find(tx, id, principal));
      await seal?.(tx, changed);
      return changed;
    });

  return {
    async plan(principal, request) {
      return estimateRun(db, (await prepare(principal, request)).estimated);
    },

    async start(principal, request, seal) {
      assertMayStore(principal, "evaluations", "Use another key.");
      const { dataset, target, estimated, pins, results } = await prepare(principal, request);
      const { index } = estimated.generation ?? {};
      if (index?.status === "ingesting") throw conflict(stillIngesting(index.name), "target.index");
      const { max_concurrency, max_error_share, name, tags } = request;
      const id = newId("run");
      return db.write(async (tx) => {
        const jobId = await enqueue(tx, principal, { runId: id, retryUpTo: 0 });
        await insertRun(tx, {
          id,
          kind: "batch",
          name: name ?? `${dataset.name}, ${pins.index_name ?? pins.target.model ?? "stored outputs"}`,
          tags: tags ?? [],
          state: "queued",
          pins: { ...pins },
          datasetId: dataset.id,
          prompt: target.target.prompt,
          createdBy: principal.keyId,
          createdAt: now(),
          settings: {
            ...(max_concurrency && { max_concurrency }),
            ...(max_error_share != null && { max_error_share }),
          },
          progress: newProgress(results),
          jobId,
        });
        const detail = { dataset: dataset.id, results };
        await appendAudit(tx, { at: now(), actor: principal, action: "run.start", target: id, detail });
        const started = await toBatchEval(tx, await find(tx, id, principal));
        await seal(tx, started);
        return started;
      });
    },

    list: (reader, query) => evals.list(reader, { ...query, kind: "batch" }),

    get: async (reader, id) => toBatchEval(db, await find(db, id, reader)),

    ...createBatchResults(db, (reader, id) => find(db, id, reader)),

    events: createEvents({ db, find: (reader, id) => find(db, id, reader), read: (row) => toBatchEval(db, row), now }),

    pause: (principal, id) =>
      change(principal, id, "run.pause", async (tx, { state }) => {
        if (state === "paused") return false;
        if (ENDED.has(state)) throw conflict(`This run is ${state}, so it can't be paused.`);
        await updateBatchRun(tx, id, { state: "paused" });
        return true;
      }),

    cancel: (principal, id) =>
      change(principal, id, "run.cancel", async (tx, { state }) => {
        if (state === "cancelled") return false;
        if (ENDED.has(state)) throw conflict(`This run is ${state}, so it can't be cancelled.`);
        await updateBatchRun(tx, id, { state: "cancelled", endedAt: now() });
        return true;
      }),

    async resume(principal, id, { retry_errors: retries = false }) {
      assertMayStore(principal, "evaluations", "Use another key.");
      const pins = (await find(db, id, principal)).pins as unknown as RunPins;
      const { index } = pins.target;
      if (index !== undefined) assertUnchanged(pins, await deps.rag.open(principal, index));
      return change(principal, id, "run.resume", async (tx, { state, progress }) => {
        const { errors = 0, sequence = 0 } = progress ?? {};
        if (state === "queued" || state === "running") throw conflict(`This run is already ${state}.`);
        if (state === "completed" && !(retries && errors > 0)) {
          throw conflict(`This run is completed. ${remedyFor(id, progress?.failures ?? {}, errors)}`);
        }
        const jobId = await enqueue(tx, principal, { runId: id, retryUpTo: retries ? sequence : 0 });
        await updateBatchRun(tx, id, { state: "queued", error: null, endedAt: null, jobId });
        return true;
      });
    },

    async recompute(principal, id, request, seal) {
      assertMayStore(principal, "evaluations", "Use another key.");
      const { evaluators: names, rubric, shadow = rubric !== undefined } = request;
      const row = await find(db, id, principal);
      if (!shadow) assertMayDecide({ principal }, row, rubric);
      const chosen = await evaluators.choose(names);
      planScoring(chosen, rubric ?? (row.pins as unknown as RunPins).rubric, ALL_CONTENT);
      return change(
        principal,
        id,
        "run.recompute",
        async (tx, run) => {
          if (run.state === "queued" || run.state === "running") {
            throw conflict("This run has not ended. Pause or cancel it, or wait until it ends.");
          }
          const { recompute } = await toBatchEval(tx, run);
          if (recompute?.state === "queued" || recompute?.state === "running") {
            throw conflict("The scores of this run are being recomputed. Wait until that is done.");
          }
          const payload: RecomputePayload = { ...request, runId: id, shadow };
          const { keyId: createdBy, traceparent } = principal;
          const job = { id: newId("job"), kind: RECOMPUTE_KIND, payload: { ...payload }, createdBy, traceparent };
          await insertJob(tx, job, [null], now());
          await setRecomputeJob(tx, id, job.id);
          return true;
        },
        seal,
      );
    },
  };
};

const slotPriceOf =
  ({ engine, price: { gpuPricePerHour, currency } }: Pick<BatchDeps, "engine" | "price">): SlotPrice =>
  () => {
    const slots = engine.nodes().reduce((sum, { readiness }) => sum + (readiness?.slots.total ?? 0), 0);
    return gpuPricePerHour === undefined || slots === 0
      ? null
      : { perSecond: gpuPricePerHour / 3600 / slots, currency };
  };

const conflict = (message: string, param?: string): AppError => new AppError("conflict", message, { param });

/** How the errors of a completed run can be tried again. */
const remedyFor = (id: string, failures: Record<string, number>, errors: number): string => {
  const { judge_error: unscored = 0, invalid_sample: invalid = 0 } = failures;
  if (errors > invalid) return "To retry its errors, set `retry_errors` to true.";
  if (unscored > 0) return `POST /v1/batch-evals/${id}/recompute scores results again if an evaluator failed on them.`;
  if (invalid > 0) return "Its errors are samples that can't be evaluated. Correct them, and start a new run.";
  return "Start a new run instead.";
};
