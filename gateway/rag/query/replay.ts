import { newId } from "../../../lib/ids";
import { round } from "../../../lib/round";
import type { Call } from "../../call";
import type { RagAnswer, RagEvent } from "../contract";

/** False for a truncated or empty answer, and after a degraded search. */
export const isWorthStoring = ({ status, answer, finish_reason, degraded }: RagAnswer): boolean =>
  degraded === null && (status !== "answered" || (answer !== "" && finish_reason === "stop"));

/** Yields the events of a stored answer and returns it, with a new id, new times and the cache status. */
export const replay = async function* (
  stored: RagAnswer,
  call: Call,
  cache: RagAnswer["cache"],
): AsyncGenerator<RagEvent, RagAnswer> {
  const { answer, chunks, threshold, warning, index, citations, grounding, status } = stored;
  const found = chunks.map((chunk) => ({ ...chunk, cited: false }));
  yield { type: "retrieval", chunks: found, threshold, warning, degraded: null, index, cache };
  if (answer) yield { type: "token", text: answer };
  if (status === "answered") yield { type: "citations", answer: answer ?? "", citations };
  if (grounding) yield { type: "grounding", grounding };
  const total = round(performance.now() - call.receivedAt, 2);
  return {
    ...stored,
    degraded: null, // Stored answers are never degraded. Those from earlier versions lack the field.
    id: newId("rag"),
    diagnostics: { ...stored.diagnostics, stages_ms: { total } },
    latency: { queue: 0, ttft: total, total },
    cache,
    request_id: call.requestId,
  };
};
