/** Tracks the nesting depth of a JSON text that arrives character by character. The text may be invalid. */
export class Nesting {
  /** Number of objects and arrays around the next character. */
  depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** Adds a character. Returns true unless it is part of a string. */
  take(character: string): boolean {
    if (this.#isInString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (character === "\\") this.#isEscaped = true;
      else if (character === '"') this.#isInString = false;
      return false;
    }
    if (character === '"') {
      this.#isInString = true;
      return false;
    }
    if (character === "{" || character === "[") this.depth++;
    else if (character === "}" || character === "]") this.depth--;
    return true;
  }
}
