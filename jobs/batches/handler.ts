import { BATCH_REQUESTS_KIND } from "../../gateway/batches/job";
import type { JobHandler } from "../handler";
import { deleteFinishedResults, endStrandedBatches } from "./leftovers";
import { retryWhileUnavailable } from "./retry-while-unavailable";
import { type BatchRequestsDeps, runBatch } from "./run-batch";

/** Maximum number of batches that a worker runs in parallel. */
const CONCURRENCY = 4;

type HandlerDeps = Omit<BatchRequestsDeps, "now"> & Partial<Pick<BatchRequestsDeps, "now">>;

/** Runs batches of requests. One worker runs a whole batch. If it dies, another worker continues. */
export const batchRequests = ({ now = () => new Date(), ...others }: HandlerDeps): JobHandler => {
  const deps = { ...others, now };
  return {
    kind: BATCH_REQUESTS_KIND,
    concurrency: CONCURRENCY,
    run: (task, context) => retryWhileUnavailable(() => runBatch(deps, task, context), context.signal),
    async sweep() {
      await endStrandedBatches(deps.db, now);
      await deleteFinishedResults(deps.db);
    },
  };
};
