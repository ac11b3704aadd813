import type { Db } from "../../db/client";
import type { ReadyRevision } from "../../db/datasets";
import { listMembersByKey } from "../../db/samples";
import type { RevisionChanges } from "./contract";
import { hashesOf } from "./publish";
import { Fingerprints } from "./reading/fingerprints";

/** Keys of each kind that are named. */
const MAX_KEYS = 5;

/** Compares an upload with a revision, batch by batch, without storing anything. */
export class ChangeCounter {
  /** Keys of the upload. */
  readonly #seen = new Fingerprints();
  #added = 0;
  #changed = 0;
  #unchanged = 0;
  readonly #keys: RevisionChanges["keys"] = { added: [], changed: [], missing: [] };

  constructor(
    private readonly db: Db,
    private readonly base: Pick<ReadyRevision, "id" | "revision" | "samples">,
  ) {}

  async add(batch: readonly { key: string; hash: string }[]): Promise<void> {
    if (batch.length === 0) return;
    const keys = batch.map(({ key }) => key);
    const before = new Map((await listMembersByKey(this.db, this.base.id, keys)).map(({ key, hash }) => [key, hash]));
    for (const { key, hash } of batch) {
      this.#seen.findOrAdd(key, 1);
      const old = before.get(key);
      if (old === undefined) this.#added = this.#note("added", this.#added, key);
      else if (old === hash) this.#unchanged++;
      else this.#changed = this.#note("changed", this.#changed, key);
    }
  }

  async finish(): Promise<RevisionChanges> {
    const { revision, samples } = this.base;
    const missing = samples - this.#changed - this.#unchanged;
    if (missing > 0) await this.#findMissing(Math.min(missing, MAX_KEYS));
    return {
      revision,
      added: this.#added,
      changed: this.#changed,
      unchanged: this.#unchanged,
      missing,
      keys: this.#keys,
    };
  }

  #note(kind: keyof RevisionChanges["keys"], count: number, key: string): number {
    if (count < MAX_KEYS) this.#keys[kind].push(key);
    return count + 1;
  }

  async #findMissing(count: number): Promise<void> {
    const { missing } = this.#keys;
    for await (const { key } of hashesOf(this.db, this.base.id)) {
      if (this.#seen.find(key) === undefined) missing.push(key);
      if (missing.length === count) return;
    }
  }
}
