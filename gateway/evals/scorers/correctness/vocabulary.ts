import type { Word } from "../text/words";
import { likeness } from "./likeness";

/** Words beyond these are only found in the same form. */
const MOST_COMPARED = 3000;

/** The words of an answer, to look up the words of references in. */
export class Vocabulary {
  readonly #forms = new Set<string>();
  readonly #byInitial = new Map<string, string[]>();
  readonly #found = new Map<string, number>();

  constructor(words: readonly Word[]) {
    for (const { norm, stem } of words) {
      if (!this.#forms.has(norm) && this.#forms.size < MOST_COMPARED) this.#add(norm);
      this.#forms.add(norm);
      this.#forms.add(stem);
    }
  }

  /** How well the answer has this word, 0…1: 1 in the same form or stem, less for a similar one. */
  find({ norm, stem }: Word): number {
    if (this.#forms.has(norm) || this.#forms.has(stem)) return 1;
    const known = this.#found.get(norm);
    if (known !== undefined) return known;
    let best = 0;
    for (const other of this.#byInitial.get(norm.charAt(0)) ?? []) best = Math.max(best, likeness(norm, other));
    this.#found.set(norm, best);
    return best;
  }

  #add(norm: string): void {
    const initial = norm.charAt(0);
    const words = this.#byInitial.get(initial);
    if (words) words.push(norm);
    else this.#byInitial.set(initial, [norm]);
  }
}
