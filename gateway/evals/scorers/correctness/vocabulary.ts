import type { Word } from "../text/words";
import { familyOf } from "./families";
import { keyOf } from "./key";
import { likeness } from "./likeness";

/** Words beyond these are only found in the same form. */
const MAX_COMPARED = 3000;
/** "Britain" for "British". */
const FAMILY = 0.8;

/** The words of an answer, to look up the words of references in. */
export class Vocabulary {
  readonly #forms = new Set<string>();
  readonly #families = new Set<number>();
  readonly #byInitial = new Map<string, string[]>();
  readonly #found = new Map<string, number>();

  constructor(words: readonly Word[]) {
    for (const word of words) {
      if (!this.#forms.has(word.norm) && this.#forms.size < MAX_COMPARED) this.#add(word.norm);
      this.#forms.add(word.norm);
      this.#forms.add(word.stem);
      this.#forms.add(keyOf(word));
      const family = familyOf(word.norm);
      if (family !== undefined) this.#families.add(family);
    }
  }

  /** How well the text has this word, 0…1: 1 in the same form or stem, less for a similar one. */
  find(word: Word): number {
    const known = this.#found.get(word.text);
    if (known !== undefined) return known;
    const found = this.#look(word);
    this.#found.set(word.text, found);
    return found;
  }

  #look(word: Word): number {
    const { norm, stem } = word;
    if (this.#forms.has(norm) || this.#forms.has(stem) || this.#forms.has(keyOf(word))) return 1;
    const family = familyOf(norm);
    let best = family !== undefined && this.#families.has(family) ? FAMILY : 0;
    for (const other of this.#byInitial.get(norm.charAt(0)) ?? []) best = Math.max(best, likeness(norm, other));
    return best;
  }

  #add(norm: string): void {
    const initial = norm.charAt(0);
    const words = this.#byInitial.get(initial);
    if (words) words.push(norm);
    else this.#byInitial.set(initial, [norm]);
  }
}
