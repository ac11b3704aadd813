import type { Call } from "../../gateway/call";
import type { EvaluateRequest, Evaluation } from "../../gateway/evals/contract";
import type { EvalService, EvalStage } from "../../gateway/evals/service";
import type { KeyRun, KeyRuns } from "../../gateway/keys/runs";
import { AppError } from "../../lib/errors";

/** An evaluation that a page has begun. */
export interface RunningEval {
  id: string;
  startedMs: number;
  /** What is done now. */
  stage: EvalStage;
  done: Promise<Evaluation>;
}

interface RunningDeps {
  evals: Pick<EvalService, "evaluate">;
  /** Where they stand, so that they end with their key. */
  runs: KeyRuns;
}

/** Evaluations of pages: they go on when their reader leaves, until they are done or stopped, or their key ends. */
export class RunningEvals {
  readonly #deps: RunningDeps;
  readonly #stops = new Map<string, { keyId: string; stop(): void }>();

  constructor(deps: RunningDeps) {
    this.#deps = deps;
  }

  start(asking: Omit<Call, "signal">, request: EvaluateRequest): RunningEval {
    const { evals, runs } = this.#deps;
    const { keyId } = asking.principal;
    const abort = new AbortController();
    let endedBy: AppError | undefined;
    const end = (error: AppError) => {
      endedBy = error;
      abort.abort();
    };
    const run: KeyRun = { keyId, end };
    const running: RunningEval = {
      id: crypto.randomUUID(),
      startedMs: performance.now(),
      stage: { step: "answering" },
      done: evals
        .evaluate({ ...asking, signal: abort.signal }, request, {
          onStage: (stage) => {
            running.stage = stage;
          },
        })
        .catch((error) => {
          throw endedBy ?? error;
        })
        .finally(() => {
          runs.delete(run);
          this.#stops.delete(running.id);
        }),
    };
    // Whoever has left hears of no failure; it is in the log of the request that began it.
    running.done.catch(() => {});
    runs.add(run);
    this.#stops.set(running.id, { keyId, stop: () => end(stopped()) });
    return running;
  }

  /** False when it has ended, or belongs to another key. */
  stop(keyId: string, id: string): boolean {
    const running = this.#stops.get(id);
    if (running?.keyId !== keyId) return false;
    running.stop();
    return true;
  }
}

const stopped = (): AppError => new AppError("client_closed", "Stopped. Nothing was kept.");
