const FIRST_BYTES = 65_536;

/** A list of texts as UTF-8 in one block of memory. 100,000 short strings would take several times as much. */
export class TextList {
  #bytes = Buffer.allocUnsafe(FIRST_BYTES);
  /** Where each text ends. */
  readonly #ends: number[] = [];

  get length(): number {
    return this.#ends.length;
  }

  add(text: string): void {
    const start = this.#ends.at(-1) ?? 0;
    const end = start + Buffer.byteLength(text);
    if (end > this.#bytes.length) this.#grow(end);
    this.#bytes.write(text, start);
    this.#ends.push(end);
  }

  /** Replaces lone surrogates, as every conversion to UTF-8 does. Throws RangeError. */
  at(place: number): string {
    return this.#bytes.toString("utf8", this.#start(place), this.#end(place));
  }

  /** Orders two texts by their bytes. */
  compare(a: number, b: number): number {
    return this.#bytes.compare(this.#bytes, this.#start(b), this.#end(b), this.#start(a), this.#end(a));
  }

  #start(place: number): number {
    return place === 0 ? 0 : this.#end(place - 1);
  }

  #end(place: number): number {
    const end = this.#ends[place];
    if (end === undefined) throw new RangeError(`Place ${place} is outside a list of ${this.length} texts.`);
    return end;
  }

  #grow(bytes: number): void {
    const grown = Buffer.allocUnsafe(Math.max(bytes, Math.ceil(1.5 * this.#bytes.length)));
    this.#bytes.copy(grown);
    this.#bytes = grown;
  }
}
