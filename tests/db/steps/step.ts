import type { Db } from "../../../db/client";
import { AppError } from "../../../lib/errors";

/** One write through a repository, for one `tag` that names all its rows. */
export interface Step {
  /** The function that writes. */
  name: string;
  write(db: Db, tag: string): Promise<unknown>;
}

/** Steps that build on each other, and what they leave. */
export interface StepGroup {
  /** In an order in which each finds what it needs. */
  steps: readonly Step[];
  /** What the tables hold for `tag`. */
  stateOf(db: Db, tag: string): Promise<object>;
  /** `stateOf` after every step. */
  finalState(tag: string): object;
}

export const AT = new Date("2026-11-23T12:00:00.000Z");
export const LATER = new Date("2026-11-23T13:00:00.000Z");

/** Tries again while another process has the lock, such as one that checkpoints: a write that was refused changed nothing. */
export const patiently = async <T>(work: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AppError && error.kind === "unavailable")) throw error;
    }
  }
};
