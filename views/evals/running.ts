import type { ActiveRequest, ActiveRequests } from "../../gateway/active-requests";
import type { Call } from "../../gateway/call";
import type { EvaluateRequest, Evaluation } from "../../gateway/evals/contract";
import type { EvalService, EvalStage } from "../../gateway/evals/service";

/** An evaluation that a page has started. */
export interface RunningEval {
  id: string;
  startedMs: number;
  /** The current step. */
  stage: EvalStage;
  /** Resolves when the step changes. */
  stageChanged: Promise<void>;
  /** Rejects with `StoppedByReader` when its reader stops it. */
  done: Promise<Evaluation>;
}

/** The reader stopped the evaluation. */
export class StoppedByReader extends Error {}

interface RunningDeps {
  evals: Pick<EvalService, "evaluate">;
  /** Active work by key: it stops when its key ends. */
  activeRequests: ActiveRequests;
}

/** Evaluations started from a page. They keep running after the reader leaves, until they finish or their key ends. */
export class RunningEvals {
  readonly #deps: RunningDeps;
  readonly #active = new Map<string, { keyId: string; request: string; running: RunningEval; stop(): void }>();

  constructor(deps: RunningDeps) {
    this.#deps = deps;
  }

  /** Starts an evaluation. If the same key sends the same form while it runs (a reload), returns the running one. */
  start(asking: Omit<Call, "signal">, request: EvaluateRequest): RunningEval {
    const { evals, activeRequests } = this.#deps;
    const { keyId } = asking.principal;
    const text = JSON.stringify(request);
    for (const active of this.#active.values()) {
      if (active.keyId === keyId && active.request === text) return active.running;
    }
    const abort = new AbortController();
    let endedBy: Error | undefined;
    const end = (error: Error) => {
      endedBy = error;
      abort.abort();
    };
    const active: ActiveRequest = { keyId, end };
    let step = Promise.withResolvers<void>();
    const running: RunningEval = {
      id: crypto.randomUUID(),
      startedMs: performance.now(),
      stage: { step: "preparing" },
      stageChanged: step.promise,
      done: evals
        .evaluate({ ...asking, signal: abort.signal }, request, {
          onStage: (stage) => {
            running.stage = stage;
            step.resolve();
            step = Promise.withResolvers();
            running.stageChanged = step.promise;
          },
        })
        .catch((error) => {
          throw endedBy ?? error;
        })
        .finally(() => {
          activeRequests.delete(active);
          this.#active.delete(running.id);
        }),
    };
    // Nothing awaits it once the reader has left. A failure is in the log of the request that started it.
    running.done.catch(() => {});
    activeRequests.add(active);
    this.#active.set(running.id, { keyId, request: text, running, stop: () => end(new StoppedByReader()) });
    return running;
  }

  /** False when it has ended, or belongs to another key. */
  stop(keyId: string, id: string): boolean {
    const active = this.#active.get(id);
    if (active?.keyId !== keyId) return false;
    active.stop();
    return true;
  }
}
