import type { RunPins } from "../../gateway/evals/contract";
import { assertUnchanged, type RagTarget } from "../../gateway/evals/target";
import type { RagAnswer, RagQuery } from "../../gateway/rag/contract";
import type { Indexes } from "../../gateway/rag/query/retrieve";
import { createRagTarget } from "../../gateway/rag/query/target";
import { AppError } from "../../lib/errors";
import type { Waited } from "./call-limiter";
import { RunStopped } from "./stops";

/**
 * Answers from the index of a run. Stops the run (RunStopped) if the index has changed since the run started or was
 * deleted, or if the run's key has lost access to it.
 */
export const pinnedIndex = (
  pins: RunPins,
  indexes: Indexes,
  query: (question: RagQuery) => Promise<RagAnswer>,
): RagTarget => {
  const open: RagTarget["open"] = async (principal, index) => {
    const opened = await indexes.open(principal, index);
    assertUnchanged(pins, opened);
    return opened;
  };
  const target = createRagTarget({ rag: { query: (_, question) => query(question) }, indexes });
  return {
    open: (principal, index) => stopping(pins, open(principal, index)),

    answer: (call, question) =>
      stopping(
        pins,
        target.answer(call, question).then(async (answer) => {
          // Revisions only increase, so an unchanged one now means that the search has read no other content.
          await open(call.principal, question.index);
          return answer;
        }),
      ),
  };
};

/** Turns errors that concern the index, and therefore every sample, into RunStopped. */
const stopping = async <T>(pins: RunPins, work: Promise<T>): Promise<T> => {
  try {
    return await work;
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.detail.param !== "index") throw thrown;
    throw new RunStopped(thrown.kind === "not_found" ? gone(pins) : thrown);
  }
};

const gone = ({ index_name: name }: RunPins): AppError =>
  new AppError(
    "not_found",
    `The index "${name}" was deleted, or the run's key has lost access to it. The results so far are kept. If the index still exists, resume the run with a key that has access to it.`,
    { param: "index" },
  );

/** An answer without the vector store or the reranker would measure a different search, so the call is retried. */
export const assertComplete = (answer: RagAnswer): RagAnswer => {
  if (answer.degraded === null) return answer;
  const problem = PROBLEMS[answer.degraded];
  throw new AppError("unavailable", `${problem}, so the search would be incomplete. The call is retried.`);
};

const PROBLEMS = {
  keyword_only: "The vector store is down",
  vectors_missing: "The vector store lacks vectors of the index",
  not_reranked: "Reranking was not possible",
} as const satisfies Record<NonNullable<RagAnswer["degraded"]>, string>;

/** How long a query waited for the node; null: no model was called. */
export const queryWaitOf = ({ model, cache, latency }: RagAnswer): Waited =>
  model === null || cache.status === "hit" ? null : { queueMs: latency.queue, totalMs: latency.total };
