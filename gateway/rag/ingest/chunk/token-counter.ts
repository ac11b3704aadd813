/** Tokens of each text, in order. */
export type CountTokens = (texts: string[]) => Promise<number[]>;

/** Counts each text once, many at a time. */
export class TokenCounter {
  readonly #counts = new Map<string, number>();
  /** Tokens that are added to each text: the model's own and those of its prefix. */
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

  /** Tokens of a counted text, with the model's marks. */
  of(text: string): number {
    return this.#counts.get(text) ?? 0;
  }

  /** Tokens of a counted text inside another one. */
  inside(text: string): number {
    return Math.max(0, this.of(text) - this.marks);
  }
}
