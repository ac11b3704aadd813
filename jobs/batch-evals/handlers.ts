import { updateBatchRun } from "../../db/batch-evals";
import type { Db } from "../../db/client";
import type { ClaimedTask } from "../../db/jobs";
import { findKey } from "../../db/keys";
import { findRun, type RunRow } from "../../db/runs";
import type { BatchSettings } from "../../gateway/batch-evals/contract";
import { BATCH_KIND, type BatchPayload } from "../../gateway/batch-evals/job";
import { type Call, NO_DIRECTIVES } from "../../gateway/call";
import type { ChatAnswer } from "../../gateway/chat/contract";
import type { RunFigures, RunPins } from "../../gateway/evals/contract";
import type { ChosenEvaluator, EvaluatorChoice } from "../../gateway/evals/evaluator";
import type { ReferenceScorer, ScoringDeps } from "../../gateway/evals/scoring";
import { type ResolvedTarget, resolveTarget } from "../../gateway/evals/target";
import { assertUsable, type DefaultLimits, toPrincipal } from "../../gateway/keys/rules";
import type { Principal } from "../../gateway/principal";
import type { PromptService } from "../../gateway/prompts/service";
import type { Indexes } from "../../gateway/rag/query/retrieve";
import { AppError, toEnvelope } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { Tracer } from "../../lib/tracing/tracer";
import type { ChatOnce, QueryOnce } from "../gateway-client";
import type { JobHandler, TaskContext } from "../handler";
import { BatchRun } from "./batch-run";
import { CallLimiter, type Waited } from "./call-limiter";
import { ModelCalls } from "./model-calls";
import { assertComplete, pinnedIndex, queryWaitOf } from "./pinned-index";
import { runSample, type SampleRecipe } from "./run-sample";
import { SampleSource } from "./sample-source";
import { traceSample } from "./sample-span";
import { RunStopped } from "./stops";

/** Batch runs that a worker runs in parallel. */
const CONCURRENCY = 2;
const DEFAULT_MAX_CONCURRENCY = 64;

export interface BatchEvalDeps {
  db: Db;
  log: Log;
  tracer?: Tracer;
  gateway: { chatOnce: ChatOnce; queryOnce: QueryOnce };
  indexes: Indexes;
  prompts: Pick<PromptService, "resolve">;
  evaluators: EvaluatorChoice;
  reference: ReferenceScorer;
  computeFigures(runId: string): Promise<RunFigures>;
  /** The limits of keys without their own. */
  defaults: DefaultLimits;
  now?: () => Date;
}

/** Runs batch evaluations. One worker runs a whole run at a time; another one continues when it dies. */
export const batchEvals = (deps: BatchEvalDeps): JobHandler => ({
  kind: BATCH_KIND,
  concurrency: CONCURRENCY,
  isolatesPoison: true,

  async run(task, context) {
    const { runId, retryUpTo } = task.job.payload as unknown as BatchPayload;
    const run = await findRun(deps.db, runId);
    if (run?.jobId !== task.jobId) return context.finish(async () => ({}));
    try {
      await prepare(deps, task, context, run, retryUpTo).then((batch) => batch.run());
    } catch (thrown) {
      if (!(thrown instanceof RunStopped)) throw thrown;
      await failBefore(deps, context, run, thrown.error);
    }
  },
});

/** The run can't start, for example because its key was revoked. */
const failBefore = (
  { now = () => new Date() }: BatchEvalDeps,
  context: TaskContext,
  run: RunRow,
  error: AppError,
): Promise<void> =>
  context.finish(async (tx) => {
    const stored = { ...toEnvelope(error, run.id).error };
    await updateBatchRun(tx, run.id, { state: "failed", error: stored, endedAt: now() });
    return {};
  });

const prepare = async (
  deps: BatchEvalDeps,
  task: ClaimedTask,
  context: TaskContext,
  run: RunRow,
  retryUpTo: number,
): Promise<BatchRun> => {
  const { db, log, computeFigures, now = () => new Date() } = deps;
  const pins = run.pins as unknown as RunPins;
  const settings = (run.settings ?? {}) as BatchSettings;
  const evaluators = await pinnedEvaluators(deps.evaluators, pins);
  const principal = await stopping(() => principalOf(deps, task.job.createdBy, now()));
  const target = await pinnedTarget(deps, principal, pins);
  const limiter = new CallLimiter(settings.max_concurrency ?? DEFAULT_MAX_CONCURRENCY);
  const calls = new ModelCalls({
    limiter,
    checkKey: async () => void (await principalOf(deps, task.job.createdBy, now())),
  });
  // Repeats must be generated again, so they bypass the cache. Judges use it: the same question has the same answer.
  const usesCache = pins.repeats === 1;
  return new BatchRun({
    ...{ db, log, context, run, task, retryUpTo, limiter, calls, computeFigures, now },
    jobId: task.jobId,
    source: new SampleSource(db, pins),
    runSample: (result, signals) =>
      traceSample(deps.tracer, { run, result, context }, (traceparent) => {
        const caller = { keyId: principal.keyId, runId: run.id, signal: signals.signal, traceparent };
        const chatFor: SampleRecipe["chatFor"] = (onAttempt) => ({
          target: chatWith((body) =>
            calls.send(signals.waits, () => deps.gateway.chatOnce(caller, body, { usesCache }), waitOf, onAttempt),
          ),
          rag: pinnedIndex(pins, deps.indexes, (question) => {
            const query = async () => assertComplete(await deps.gateway.queryOnce(caller, question, { usesCache }));
            return calls.send(signals.waits, query, queryWaitOf, onAttempt);
          }),
          judges: chatWith((body) =>
            calls
              .send(
                signals.signal,
                () => deps.gateway.chatOnce(caller, body, { usesCache: true }),
                waitOf,
                () => {},
              )
              .catch((thrown) => {
                // An evaluator's failure becomes a score, so the run is stopped here.
                if (thrown instanceof RunStopped) signals.stop(thrown);
                throw thrown;
              }),
          ),
        });
        const recipe: SampleRecipe = {
          ...{ target, evaluators, log, chatFor, now },
          rubric: pins.rubric,
          seed: pins.seed,
          reference: deps.reference,
        };
        return runSample(recipe, callFor(principal, signals.signal), result, signals);
      }),
  });
};

/** Turns an error into one that stops the run. */
const stopping = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (thrown) {
    throw thrown instanceof AppError ? new RunStopped(thrown) : thrown;
  }
};

export const principalOf = async (
  { db, defaults }: Pick<BatchEvalDeps, "db" | "defaults">,
  keyId: string,
  now: Date,
): Promise<Principal> => {
  const key = await findKey(db, keyId);
  if (!key) throw new AppError("invalid_api_key", `The key ${keyId} does not exist.`);
  assertUsable(key, now);
  return toPrincipal(key, defaults, "worker");
};

export const callFor = (principal: Principal, signal: AbortSignal): Call => ({
  ...{ principal, signal, priority: "batch" as const, directives: NO_DIRECTIVES },
  requestId: crypto.randomUUID(),
  receivedAt: performance.now(),
});

type Chat = ScoringDeps["chat"];

export const chatWith = (send: (body: Parameters<Chat["answer"]>[1]) => Promise<ChatAnswer>): Chat => ({
  answer: (_, body) => send(body),
});

export const waitOf = ({ latency, node }: ChatAnswer): Waited =>
  node === null ? null : { queueMs: latency.queue, totalMs: latency.total };

/** The evaluators of a run, unless this version of the code would score differently. */
const pinnedEvaluators = async (choice: EvaluatorChoice, { evaluators }: RunPins): Promise<ChosenEvaluator[]> => {
  const named = (isShadow: boolean) =>
    evaluators.filter(({ shadow }) => shadow === isShadow).map(({ evaluator }) => evaluator);
  const chosen = await stopping(() => choice.choose(named(false), named(true)));
  const changed = evaluators.find(({ evaluator, hash }) =>
    chosen.every((each) => each.reference !== evaluator || each.hash !== hash),
  );
  if (!changed) return chosen;
  throw new RunStopped(
    new AppError("conflict", `${changed.evaluator} has changed since the run was created. Start a new run.`),
  );
};

const pinnedTarget = async (deps: BatchEvalDeps, principal: Principal, pins: RunPins): Promise<ResolvedTarget> => {
  const { target, prompt_hash: hash } = pins;
  const { prompts } = deps;
  const rag = pinnedIndex(pins, deps.indexes, () => {
    throw new Error("Resolving a target asks no questions.");
  });
  const resolved = await stopping(() => resolveTarget({ prompts, rag }, principal, target, target.kind === "stored"));
  if ((resolved.prompt?.hash ?? null) === hash) return resolved;
  throw new RunStopped(new AppError("conflict", "The prompt has changed since the run was created. Start a new run."));
};
