import type { DbOptions } from "../../../db/client";
import { WorkerClient } from "../../../lib/worker-client";
import type { RunFigures } from "../contract";

export interface Question {
  runId: string;
}

/**
 * Computes the figures of runs in a Worker that reads the database, because the figures of 100,000 results take seconds.
 * The Worker starts with the first run, and again after a crash.
 */
export class FiguresThread {
  readonly #worker: WorkerClient<Question, RunFigures>;

  constructor(database: DbOptions) {
    const url = new URL("./worker.ts", import.meta.url);
    const create = () => new Worker(url, { argv: [JSON.stringify(database)], smol: true });
    this.#worker = new WorkerClient("computes figures", create);
  }

  /** Throws not_found, and internal if the Worker crashes. */
  compute(runId: string): Promise<RunFigures> {
    return this.#worker.ask({ runId });
  }

  close(): void {
    this.#worker.close();
  }
}
