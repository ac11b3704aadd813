import { insertPendingResults, type ResultTask, startResults } from "../../db/batch-evals";
import type { Db, Tx } from "../../db/client";
import { findRevision } from "../../db/datasets";
import { listMemberKeys } from "../../db/samples";
import { type Selection, selectSamples } from "../../gateway/batch-evals/selection";
import type { RunPins } from "../../gateway/evals/contract";
import { AppError } from "../../lib/errors";
import { newId } from "../../lib/ids";
import type { Counts } from "./counts";
import { RunStopped } from "./stops";

/** Number of dataset positions whose results are created in one step. */
const WINDOW = 500;
/** Windows without a chosen sample that are read in one transaction. */
const MAX_EMPTY_WINDOWS = 10;

interface NewResult {
  id: string;
  sampleId: string;
  sampleKey: string;
  repeat: number;
  position: number;
}

/** Creates the results of a run in blocks, from the revision of its dataset. */
export class SampleSource {
  #revision: { id: string; samples: number } | undefined;
  #selection: { count: number; includes: Selection } | undefined;

  constructor(
    private readonly db: Db,
    private readonly pins: RunPins,
  ) {}

  /** Finds the revision and chooses its samples. */
  async open(): Promise<void> {
    const { dataset, samples = {}, seed } = this.pins;
    this.#revision = dataset ? await findRevision(this.db, dataset.id, dataset.revision) : undefined;
    if (this.#revision) this.#selection = await selectSamples(this.db, this.#revision, samples, seed);
  }

  /** Samples times repeats; undefined if the dataset is not on this instance any more. */
  get results(): number | undefined {
    return this.#selection && this.#selection.count * this.pins.repeats;
  }

  /**
   * Starts up to `room` pending results, in the dataset's order, and creates more when they run out. `isExhausted`: no
   * pending result is left, and no other can be created.
   */
  async take(
    tx: Tx,
    counts: Counts,
    { runId, room, exceptIds, now }: { runId: string; room: number; exceptIds: readonly string[]; now: Date },
  ): Promise<{ tasks: ResultTask[]; isExhausted: boolean }> {
    const tasks = await startResults(tx, runId, { limit: room, exceptIds });
    while (tasks.length < room) {
      const { created, total, nextPosition } = counts.progress;
      if (created >= total) return { tasks, isExhausted: tasks.length === 0 };
      const made = await this.#next(tx, nextPosition);
      await insertPendingResults(
        tx,
        made.rows.map((row) => ({ ...row, runId, createdAt: now })),
      );
      counts.create(made.rows.length, made.nextPosition);
      if (made.rows.length === 0) break;
      tasks.push(...(await startResults(tx, runId, { limit: room - tasks.length, exceptIds })));
    }
    return { tasks, isExhausted: false };
  }

  /** The next results from `position` on, possibly none. Throws if there are none left. */
  async #next(tx: Tx, position: number): Promise<{ rows: NewResult[]; nextPosition: number }> {
    if (!this.#revision || !this.#selection) throw this.#missing();
    const { id, samples } = this.#revision;
    const { includes } = this.#selection;
    let from = position;
    for (let windows = 0; from < samples && windows < MAX_EMPTY_WINDOWS; windows++) {
      const members = await listMemberKeys(tx, id, { from, window: WINDOW, tags: this.pins.samples?.tags });
      from += WINDOW;
      const chosen = members.filter(({ key }) => includes(key));
      if (chosen.length === 0) continue;
      const rows = chosen.flatMap(({ key: sampleKey, sampleId, position: place }) =>
        Array.from({ length: this.pins.repeats }, (_, repeat) => ({
          ...{ id: newId("res"), sampleId, sampleKey, repeat, position: place },
        })),
      );
      return { rows, nextPosition: from };
    }
    if (from >= samples) throw this.#missing();
    return { rows: [], nextPosition: from };
  }

  #missing(): RunStopped {
    const { name = "", revision = 0 } = this.pins.dataset ?? {};
    const message = `Samples of revision ${revision} of the dataset "${name}" are missing, so the run can't continue. Its results are kept. Start a new run with another revision.`;
    return new RunStopped(new AppError("not_found", message));
  }
}
