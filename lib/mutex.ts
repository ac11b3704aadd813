import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * Runs one task at a time, in order of arrival. The database driver is synchronous, so the event loop gets a turn between
 * tasks: a burst of writes delays timers and sockets by one transaction, not by the whole burst.
 */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.then(nextTurn, nextTurn);
    return result;
  }

  /** Resolves when all tasks that are waiting now have run. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
