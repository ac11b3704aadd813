import type { Db, Reads } from "../../db/client";
import { findRevision } from "../../db/datasets";
import { listMemberKeys } from "../../db/samples";
import { type Selection, selectSamples } from "../../gateway/batch-evals/selection";
import type { RunPins } from "../../gateway/evals/contract";
import { newId } from "../../lib/ids";

/** Positions of a dataset from which results are created at once. */
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

/** Creates the results of a run, a piece at a time, from the revision of its dataset. */
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

  /** Samples times repeats; undefined if the dataset was deleted. */
  get results(): number | undefined {
    return this.#selection && this.#selection.count * this.pins.repeats;
  }

  /** The next results from `position` on, possibly none; undefined at the end of the dataset, or if it was deleted. */
  async next(reads: Reads, position: number): Promise<{ rows: NewResult[]; nextPosition: number } | undefined> {
    if (!this.#revision || !this.#selection) return undefined;
    const { id, samples } = this.#revision;
    const { includes } = this.#selection;
    let from = position;
    for (let windows = 0; from < samples && windows < MAX_EMPTY_WINDOWS; windows++) {
      const members = await listMemberKeys(reads, id, { from, window: WINDOW, tags: this.pins.samples?.tags });
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
    return from < samples ? { rows: [], nextPosition: from } : undefined;
  }
}
