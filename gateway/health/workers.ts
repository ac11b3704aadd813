import { succeedsWithin } from "../../lib/with-timeout";
import type { Jobs, WorkersState } from "../jobs/service";

/** A database that has not answered by then says nothing new. */
const ANSWER_MS = 1000;

/** Whether a jobs worker lives, as far as the database has said so. */
export const workersProbe = (jobs: Pick<Jobs, "workers">, answerMs = ANSWER_MS): (() => Promise<WorkersState>) => {
  let known: WorkersState = { isAlive: false, lastBeat: undefined };
  let asking: Promise<void> | undefined;

  const ask = async (): Promise<void> => {
    try {
      known = await jobs.workers();
    } finally {
      asking = undefined;
    }
  };

  return async () => {
    asking ??= ask();
    await succeedsWithin(asking, answerMs);
    return known;
  };
};
