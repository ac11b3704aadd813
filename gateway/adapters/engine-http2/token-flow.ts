/** Whether tokens come out of a node, as the streams of this gateway show. Times on the clock of `performance.now()`. */
export class TokenFlow {
  #owed = 0;
  #lastAt = 0;

  /** A stream waits for its next token from now on. */
  begin(now: number): void {
    if (this.#owed++ === 0) this.#lastAt = now;
  }

  /** A token came, whichever stream it belongs to. */
  token(now: number): void {
    this.#lastAt = now;
  }

  /** A stream no longer waits: it has ended, or its reader is slow. */
  end(): void {
    this.#owed--;
  }

  /** Milliseconds without a token while some are owed; undefined when none is. */
  silentMs(now: number): number | undefined {
    return this.#owed > 0 ? now - this.#lastAt : undefined;
  }
}
