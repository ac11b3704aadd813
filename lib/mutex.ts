import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * One piece of work at a time, in order of arrival. The driver is synchronous, so between two pieces the event loop
 * gets a turn: a burst of writes delays timers and sockets by one transaction, not by the whole burst.
 */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.then(nextTurn, nextTurn);
    return result;
  }

  /** Resolves when everything that waits now has run. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
