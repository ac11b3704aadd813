/** Waiting work, a line per key; the keys are served in turn. */
export class Lane<T extends { readonly fairKey: string }> {
  readonly #lines = new Map<string, T[]>();
  size = 0;

  push(work: T): void {
    const line = this.#lines.get(work.fairKey);
    if (line) line.push(work);
    else this.#lines.set(work.fairKey, [work]);
    this.size++;
  }

  /** The oldest work of the key whose turn it is; the key goes to the end of the turn. */
  shift(): T | undefined {
    for (const [key, line] of this.#lines) {
      const work = line.shift();
      this.#lines.delete(key);
      if (line.length > 0) this.#lines.set(key, line);
      this.size--;
      return work;
    }
    return undefined;
  }

  remove(work: T): boolean {
    const line = this.#lines.get(work.fairKey);
    const index = line?.indexOf(work) ?? -1;
    if (!line || index < 0) return false;
    line.splice(index, 1);
    if (line.length === 0) this.#lines.delete(work.fairKey);
    this.size--;
    return true;
  }

  lengthOf(key: string): number {
    return this.#lines.get(key)?.length ?? 0;
  }

  longest(): T[] {
    let longest: T[] = [];
    for (const line of this.#lines.values()) if (line.length > longest.length) longest = line;
    return longest;
  }
}
