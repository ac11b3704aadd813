/** Counts the tokens of each text, in order. */
export type CountTokens = (texts: string[]) => Promise<number[]>;

/** Counts the tokens of each text once, many texts per call. */
export class TokenCounter {
  readonly #counts = new Map<string, number>();
  /** Tokens that the model adds to each text: its special tokens and its prefix. */
  marks = 0;

  constructor(private readonly countTokens: CountTokens) {}

  async start(): Promise<void> {
    const [count = 1] = await this.countTokens(["a"]);
    this.marks = Math.max(0, count - 1);
  }

  async count(texts: readonly string[]): Promise<void> {
    const missing = [...new Set(texts)].filter((text) => text !== "" && !this.#counts.has(text));
    if (missing.length === 0) return;
    const counts = await this.countTokens(missing);
    missing.forEach((text, i) => {
      this.#counts.set(text, counts[i] ?? 0);
    });
  }

  /** Tokens of a counted text, including `marks`. */
  of(text: string): number {
    return this.#counts.get(text) ?? 0;
  }

  /** Tokens of a counted text inside another text, without `marks`. */
  inside(text: string): number {
    return Math.max(0, this.of(text) - this.marks);
  }
}
