import { PROVIDER } from "../../../lib/tracing/gen-ai";
import type { Tracer } from "../../../lib/tracing/tracer";
import { type Call, callWithin } from "../../call";
import { endIfFailed } from "../../tracing/generation-span";
import type { RagQuery } from "../contract";
import { type OpenIndex, type Retrieval, type RetrieveDeps, retrieve } from "./retrieve";

type Retrieve = (
  call: Call,
  index: OpenIndex,
  settings: OpenIndex["retrieval"],
  query: Pick<RagQuery, "question" | "history" | "filter">,
) => Promise<Retrieval>;

/** `retrieve`, recorded as a span that contains the embedding of the question. Neither question nor filter is recorded. */
export const tracedRetrieval = ({ tracer, ...deps }: RetrieveDeps & { tracer?: Tracer }): Retrieve => {
  if (!tracer) return (...query) => retrieve(deps, ...query);
  return async (call, index, settings, query) => {
    const span = tracer.start(`retrieval ${index.id}`, {
      kind: "internal",
      parent: call.traceparent,
      attributes: {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.data_source.id": index.id,
        "gen_ai.retrieval.top_k": settings.top_k,
        "groundwire.index.version": index.version,
        "groundwire.index.revision": index.revision,
        "groundwire.retrieval.mode": settings.mode,
      },
    });
    const retrieval = await endIfFailed(span, retrieve(deps, callWithin(call, span), index, settings, query));
    const { chunks, isRelevant, isReranked, degraded, vectorCandidates, keywordCandidates, stagesMs } = retrieval;
    const stages = Object.entries(stagesMs).map(([stage, ms]) => [`groundwire.retrieval.${stage}_ms`, ms]);
    span.set({
      "groundwire.retrieval.chunks": chunks.length,
      "groundwire.retrieval.vector_candidates": vectorCandidates,
      "groundwire.retrieval.keyword_candidates": keywordCandidates,
      "groundwire.retrieval.is_relevant": isRelevant,
      "groundwire.retrieval.is_reranked": isReranked,
      "groundwire.degraded": degraded ?? undefined,
      ...Object.fromEntries(stages),
    });
    span.end();
    return retrieval;
  };
};
