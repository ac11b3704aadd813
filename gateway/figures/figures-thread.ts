import type { DbOptions } from "../../db/client";
import { WorkerClient } from "../../lib/worker-client";
import type { CompareQuestion, GateQuestion } from "../compare/comparer";
import type { Comparison } from "../compare/contract";
import type { GateVerdict } from "../compare/gate-contract";
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
 * Computes the figures of runs, and compares runs, in a Worker that reads the database, because 100,000 results take
 * seconds. The Worker starts with the first question, and again after a crash.
 */
export class FiguresThread {
  readonly #worker: WorkerClient<Question, Answer>;

  constructor(database: DbOptions) {
    const url = new URL("./worker.ts", import.meta.url);
    const create = () => new Worker(url, { argv: [JSON.stringify(database)], smol: true });
    this.#worker = new WorkerClient("computes figures", create);
  }

  /** Throws not_found, and internal if the Worker crashes. */
  compute(runId: string): Promise<RunFigures> {
    return this.#worker.ask({ kind: "figures", runId }) as Promise<RunFigures>;
  }

  /** Throws not_found, invalid_request, and internal if the Worker crashes. */
  compare(question: CompareQuestion): Promise<Comparison> {
    return this.#worker.ask({ kind: "compare", ...question }) as Promise<Comparison>;
  }

  /** Throws not_found, invalid_request, and internal if the Worker crashes. */
  gate(question: GateQuestion): Promise<GateVerdict> {
    return this.#worker.ask({ kind: "gate", ...question }) as Promise<GateVerdict>;
  }

  close(): void {
    this.#worker.close();
  }
}
