import type { Db } from "../../db/client";
import type { ReadyRevision } from "../../db/datasets";
import { findMember, listMembersByKey } from "../../db/samples";
import { textOfInput } from "./content";
import type { NewSample, RevisionChanges } from "./contract";
import { hashesOf } from "./publish";
import { Fingerprints } from "./reading/samples/duplicates";

const MAX_NAMED = 5;
const MAX_INPUT_LENGTH = 200;

type Kind = keyof RevisionChanges["first"];

/** Compares an upload with a revision, batch by batch, without storing anything. */
export class ChangeCounter {
  readonly #seen = new Fingerprints();
  #added = 0;
  #changed = 0;
  #unchanged = 0;
  readonly #first: RevisionChanges["first"] = { added: [], changed: [], missing: [] };

  constructor(
    private readonly db: Db,
    private readonly base: Pick<ReadyRevision, "id" | "revision" | "samples">,
  ) {}

  async add(batch: readonly (Pick<NewSample, "input"> & { key: string; hash: string })[]): Promise<void> {
    if (batch.length === 0) return;
    const keys = batch.map(({ key }) => key);
    const before = new Map((await listMembersByKey(this.db, this.base.id, keys)).map(({ key, hash }) => [key, hash]));
    for (const sample of batch) {
      const { key, hash } = sample;
      this.#seen.findOrAdd(key, 1);
      const old = before.get(key);
      if (old === undefined) this.#added = this.#note("added", this.#added, sample);
      else if (old === hash) this.#unchanged++;
      else this.#changed = this.#note("changed", this.#changed, sample);
    }
  }

  async finish(): Promise<RevisionChanges> {
    const { revision, samples } = this.base;
    const missing = samples - this.#changed - this.#unchanged;
    if (missing > 0) await this.#findMissing(Math.min(missing, MAX_NAMED));
    return {
      revision,
      added: this.#added,
      changed: this.#changed,
      unchanged: this.#unchanged,
      missing,
      first: this.#first,
    };
  }

  #note(kind: Kind, count: number, { key, input }: Pick<NewSample, "input"> & { key: string }): number {
    if (count < MAX_NAMED) this.#first[kind].push({ key, input: textOfInput(input).slice(0, MAX_INPUT_LENGTH) });
    return count + 1;
  }

  async #findMissing(count: number): Promise<void> {
    let found = 0;
    for await (const { key } of hashesOf(this.db, this.base.id)) {
      if (this.#seen.find(key) !== undefined) continue;
      const sample = await findMember(this.db, this.base.id, key);
      if (sample) found = this.#note("missing", found, { key, input: sample.input as NewSample["input"] });
      if (found === count) return;
    }
  }
}
