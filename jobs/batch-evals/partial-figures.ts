import type { Db, Tx } from "../../db/client";
import { findRun, storeFigures } from "../../db/runs";
import type { RunFigures } from "../../gateway/evals/contract";
import { FIGURES_VERSION } from "../../gateway/evals/summary";

/** Shortest time between two computations; it is longer if the last one took more than a tenth of it. */
const PAUSE_MS = 2000;
const PAUSE_FACTOR = 10;

/** Computes the figures of a run while it is in progress, and stores them with its results. */
export class PartialFigures {
  #computed: { changes: number; value: RunFigures } | undefined;
  #isComputing = false;
  #dueMs = performance.now() + PAUSE_MS;

  constructor(
    private readonly db: Db,
    private readonly runId: string,
    private readonly compute: (runId: string) => Promise<RunFigures>,
  ) {}

  /** Whether figures wait to be stored. */
  get isComputed(): boolean {
    return this.#computed !== undefined;
  }

  /** Starts a computation if one is due. Figures that can't be computed now are tried again later. */
  refresh(): void {
    if (this.#isComputing || performance.now() < this.#dueMs) return;
    this.#isComputing = true;
    const startedMs = performance.now();
    void this.#compute()
      .catch(() => undefined)
      .finally(() => {
        const endedMs = performance.now();
        this.#dueMs = endedMs + Math.max(PAUSE_MS, PAUSE_FACTOR * (endedMs - startedMs));
        this.#isComputing = false;
      });
  }

  /** Stores figures that were computed since the last call. */
  async store(tx: Tx): Promise<void> {
    if (!this.#computed) return;
    const { changes, value } = this.#computed;
    this.#computed = undefined;
    await storeFigures(tx, this.runId, { version: FIGURES_VERSION, changes, value: { ...value } });
  }

  async #compute(): Promise<void> {
    const row = await findRun(this.db, this.runId);
    if (row) this.#computed = { changes: row.changes, value: await this.compute(this.runId) };
  }
}
