import type { Db } from "../../../db/client";
import { AppError } from "../../../lib/errors";

/** One write through a repository. `tag` names all of its rows. */
export interface Step {
  /** The function that writes. */
  name: string;
  write(db: Db, tag: string): Promise<unknown>;
}

/** Steps that build on each other, and the resulting rows. */
export interface StepGroup {
  /** Ordered so that each finds its prerequisites. */
  steps: readonly Step[];
  /** The rows of `tag`. */
  stateOf(db: Db, tag: string): Promise<object>;
  /** The expected `stateOf` after all steps. */
  finalState(tag: string): object;
}

export const AT = new Date("2026-11-23T12:00:00.000Z");
export const LATER = new Date("2026-11-23T13:00:00.000Z");

/** Retries while another process holds the lock, for example for a checkpoint. A rejected write changes nothing. */
export const patiently = async <T>(work: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AppError && error.kind === "unavailable")) throw error;
    }
  }
};
