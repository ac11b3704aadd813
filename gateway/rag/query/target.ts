import type { RagTarget } from "../../evals/target";
import type { RetrievalReport } from "../../retrieval-contract";
import type { RagAnswer } from "../contract";
import { joinTexts } from "./merge";
import type { Indexes } from "./retrieve";
import type { RagService } from "./service";

interface TargetDeps {
  rag: Pick<RagService, "query">;
  indexes: Indexes;
}

/** Answers the samples of evaluations from an index. An answer's contexts are the passages that the model read. */
export const createRagTarget = ({ rag, indexes }: TargetDeps): RagTarget => ({
  open: (principal, index) => indexes.open(principal, index),

  async answer(call, question) {
    const answer = await rag.query(call, question);
    const used = Map.groupBy(answer.chunks, ({ context }) => context ?? 0);
    used.delete(0);
    const contexts = [...used].toSorted(([a], [b]) => a - b).map(([, chunks]) => joinTexts(chunks));
    const { citations, finish_reason, usage, latency, cache, model_revision, request_id, index } = answer;
    const status = answer.status === "no_relevant_context" ? answer.status : "answered";
    return {
      output: {
        ...{ text: answer.answer ?? "", contexts, citations, status },
        ...{ finish_reason, usage, latency, cache, model_revision, request_id },
        retrieval: reportOf(answer),
      },
      model: answer.model,
      index: { version: index.version, revision: index.revision },
    };
  },
});

const reportOf = ({ threshold, warning, degraded, chunks, grounding, diagnostics }: RagAnswer): RetrievalReport => ({
  ...{ threshold, warning, degraded },
  chunks: chunks.map(({ id, document_id, document_title, page, scores, context, cited }) => ({
    ...{ chunk_id: id, document_id, document_title, page, context, cited },
    score: scores.final,
  })),
  grounded: grounding?.supported ?? null,
  stages_ms: { ...diagnostics.stages_ms },
});
