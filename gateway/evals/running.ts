import type { ActiveRequest, ActiveRequests } from "../active-requests";
import type { Asking } from "../call";
import type { EvaluateRequest, Evaluation } from "./contract";
import type { EvalService, EvalStage } from "./service";

/** An evaluation started from a page. */
export interface RunningEval {
  id: string;
  /** The question, as shown on the page. */
  name: string;
  startedMs: number;
  readonly stage: EvalStage;
  /** Rejects with `StoppedByReader` if the reader stops the evaluation. */
  done: Promise<Evaluation>;
  /** Yields the current step: immediately, after each change and every `everyMs`, until the evaluation ends. */
  stages(everyMs: number): AsyncGenerator<EvalStage>;
}

/** The reader stopped the evaluation. */
export class StoppedByReader extends Error {}

interface RunningDeps {
  evals: Pick<EvalService, "evaluate">;
  /** Active work by key. It stops when the key ends. */
  activeRequests: ActiveRequests;
}

/** Evaluations started from a page. They continue after the reader leaves, until they finish or their key ends. */
export class RunningEvals {
  readonly #active = new Map<string, { keyId: string; request: string; running: RunningEval; stop(): void }>();

  constructor(private readonly deps: RunningDeps) {}

  /** Starts an evaluation. If the same key submits the same form while it runs (a reload), returns the running one. */
  start(asking: Asking, request: EvaluateRequest, name: string): RunningEval {
    const { evals, activeRequests } = this.deps;
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
    const id = crypto.randomUUID();
    let isOver = false;
    let stage: EvalStage = { step: "preparing" };
    let change = Promise.withResolvers<void>();
    const done = evals
      .evaluate({ ...asking, signal: abort.signal }, request, {
        onStage: (next) => {
          stage = next;
          change.resolve();
          change = Promise.withResolvers();
        },
      })
      .catch((error) => {
        throw endedBy ?? error;
      })
      .finally(() => {
        isOver = true;
        change.resolve();
        activeRequests.delete(active);
        this.#active.delete(id);
      });
    // Nothing awaits the promise once the reader has left. The request that started the evaluation logs a failure.
    done.catch(() => {});
    const stages = async function* (everyMs: number) {
      while (!isOver) {
        const { promise: changed } = change;
        yield stage;
        await Promise.race([changed, Bun.sleep(everyMs)]);
      }
    };
    const running: RunningEval = {
      id,
      name,
      startedMs: performance.now(),
      done,
      stages,
      get stage() {
        return stage;
      },
    };
    activeRequests.add(active);
    this.#active.set(id, { keyId, request: text, running, stop: () => end(new StoppedByReader()) });
    return running;
  }

  /** The running evaluations of one key, oldest first. */
  of(keyId: string): RunningEval[] {
    return [...this.#active.values()].filter((active) => active.keyId === keyId).map(({ running }) => running);
  }

  /** False if the evaluation has ended or belongs to another key. */
  stop(keyId: string, id: string): boolean {
    const active = this.#active.get(id);
    if (active?.keyId !== keyId) return false;
    active.stop();
    return true;
  }
}
