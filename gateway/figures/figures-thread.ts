import type { DbOptions } from "../../db/client";
import { WorkerClient } from "../../lib/worker-client";
import type { CompareQuestion, GateQuestion } from "../compare/comparer";
import type { Comparison } from "../compare/contract";
import type { GateVerdict } from "../compare/gate/contract";
import type { RunFigures } from "../evals/contract";

/** A request to the thread. Its response is in `Answers`, by kind. */
export type Question =
  | { kind: "figures"; runId: string }
  | ({ kind: "compare" } & CompareQuestion)
  | ({ kind: "gate" } & GateQuestion);

interface Answers {
  figures: RunFigures;
  compare: Comparison;
  gate: GateVerdict;
}
export type Answer = Answers[keyof Answers];

/**
 * Computes the figures of runs, and compares runs, in Workers that read the database, because 100,000 results take
 * seconds. Comparisons have their own Worker, so that figures don't wait for a search in compared texts. Each Worker
 * starts with its first question, and again after a crash.
 */
export class FiguresThread {
  readonly #figures: WorkerClient<Question, Answer>;
  readonly #comparisons: WorkerClient<Question, Answer>;

  constructor(database: DbOptions) {
    const url = new URL("./worker.ts", import.meta.url);
    const create = () => new Worker(url, { argv: [JSON.stringify(database)], smol: true });
    this.#figures = new WorkerClient("computes figures", create);
    this.#comparisons = new WorkerClient("compares runs", create);
  }

  /** Throws not_found, and internal if the Worker crashes. */
  compute(runId: string): Promise<RunFigures> {
    return this.#figures.ask({ kind: "figures", runId }) as Promise<RunFigures>;
  }

  /** Throws not_found, invalid_request, and internal if the Worker crashes. */
  compare(question: CompareQuestion): Promise<Comparison> {
    return this.#comparisons.ask({ kind: "compare", ...question }) as Promise<Comparison>;
  }

  /** Throws not_found, invalid_request, and internal if the Worker crashes. */
  gate(question: GateQuestion): Promise<GateVerdict> {
    return this.#comparisons.ask({ kind: "gate", ...question }) as Promise<GateVerdict>;
  }

  close(): void {
    this.#figures.close();
    this.#comparisons.close();
  }
}
