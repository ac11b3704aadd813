import type { Call } from "../../gateway/call";
import type { EvaluateRequest, Evaluation } from "../../gateway/evals/contract";
import type { EvalService, EvalStage } from "../../gateway/evals/service";
import type { KeyRun, KeyRuns } from "../../gateway/keys/runs";

/** An evaluation that a page has started. */
export interface RunningEval {
  id: string;
  startedMs: number;
  /** The current step. */
  stage: EvalStage;
  /** Resolves when the step changes. */
  moved: Promise<void>;
  /** Rejects with `WasStopped` when its reader stops it. */
  done: Promise<Evaluation>;
}

/** An evaluation was stopped by its reader. */
export class WasStopped extends Error {}

interface RunningDeps {
  evals: Pick<EvalService, "evaluate">;
  /** Active work by key, so that it ends with its key. */
  runs: KeyRuns;
}

/** Evaluations that pages have started. They keep running after the reader leaves, until they end or their key does. */
export class RunningEvals {
  readonly #deps: RunningDeps;
  readonly #active = new Map<string, { keyId: string; request: string; running: RunningEval; stop(): void }>();

  constructor(deps: RunningDeps) {
    this.#deps = deps;
  }

  /** Starts an evaluation. A form that is sent again while it runs, as by a reload, gets the one that runs. */
  start(asking: Omit<Call, "signal">, request: EvaluateRequest): RunningEval {
    const { evals, runs } = this.#deps;
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
    const run: KeyRun = { keyId, end };
    let step = Promise.withResolvers<void>();
    const running: RunningEval = {
      id: crypto.randomUUID(),
      startedMs: performance.now(),
      stage: { step: "preparing" },
      moved: step.promise,
      done: evals
        .evaluate({ ...asking, signal: abort.signal }, request, {
          onStage: (stage) => {
            running.stage = stage;
            step.resolve();
            step = Promise.withResolvers();
            running.moved = step.promise;
          },
        })
        .catch((error) => {
          throw endedBy ?? error;
        })
        .finally(() => {
          runs.delete(run);
          this.#active.delete(running.id);
        }),
    };
    // Nothing waits for it when its reader has left. The log of the request that started it has the failure.
    running.done.catch(() => {});
    runs.add(run);
    this.#active.set(running.id, { keyId, request: text, running, stop: () => end(new WasStopped()) });
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
