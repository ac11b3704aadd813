interface Sink {
  /** Begins to write a whole block; less than that it keeps until it is flushed. */
  write(text: string): unknown;
  flush(done?: (error?: Error) => void): void;
  flushSync(): void;
}

export const BLOCK_LENGTH = 32_768;
/** A line is on the disk at most this long after it was written. */
const FLUSH_MS = 1000;

/**
 * Gathers the lines of a log into blocks of 32 KiB or of one second. Pino's own destination measures everything that it
 * holds again with each line, which took longer than making the line. What is left is written when the process exits.
 */
export class LineBlocks {
  #lines = "";

  constructor(private readonly sink: Sink) {
    setInterval(() => this.flush(), FLUSH_MS).unref();
    process.once("exit", () => this.flushSync());
  }

  write(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= BLOCK_LENGTH) this.#pass();
  }

  /** Calls `done` when everything has been written. */
  flush(done?: (error?: Error) => void): void {
    this.#pass();
    this.sink.flush(done);
  }

  /**
   * Used by pino after a fatal line too. What is left is less than a block, so that no write of it begins that the end of
   * the process would cut off.
   */
  flushSync(): void {
    this.#pass();
    this.sink.flushSync();
  }

  #pass(): void {
    if (this.#lines === "") return;
    const lines = this.#lines;
    this.#lines = "";
    this.sink.write(lines);
  }
}
