import type { Call } from "../call";
import type { Principal } from "../principal";
import type { RagQuery } from "../rag/contract";
import type { Indexes } from "../rag/indexes/service";
import type { RagService } from "../rag/query/service";
import type { AnswerDetail, AnswerEvidence } from "./contract";
import type { AnswerEvent } from "./generation";

/** Answers a question from an index. The evidence is yielded after each step. */
export async function* answerFromIndex(
  rag: Pick<RagService, "events">,
  call: Call,
  { query, evidence }: { query: RagQuery; evidence: AnswerEvidence },
): AsyncGenerator<AnswerEvent> {
  let known = evidence;
  const learn = (news: Partial<AnswerEvidence>) => {
    known = { ...known, ...news };
    return { type: "evidence", evidence: known } as const;
  };
  for await (const event of rag.events(call, query)) {
    if (event.type === "retrieval") {
      const { index, chunks, threshold, warning, degraded } = event;
      yield learn({ status: "writing", index, chunks, threshold, warning, degraded });
    } else if (event.type === "token") {
      yield { type: "delta", text: event.text, tokens: 1 };
    } else if (event.type === "citations") {
      yield { ...learn({ status: "checking", citations: event.citations }), content: event.answer };
    } else if (event.type === "done") {
      const { status, chunks, grounding, answer, latency, cache } = event.answer;
      const { model, model_revision, finish_reason, usage } = event.answer;
      const ending = status === "answered" ? status : "no_relevant_context";
      yield { ...learn({ status: ending, chunks, grounding }), content: answer ?? "" };
      // Null if no model was called.
      const facts = {
        model: model ?? undefined,
        model_revision: model_revision ?? undefined,
        finish_reason: finish_reason ?? undefined,
        usage: usage ?? undefined,
      };
      yield { type: "done", answer: { ...facts, latency, cache } };
    }
  }
}

interface WithEvidence {
  detail?: AnswerDetail | null;
}

/**
 * Leaves out the passages of documents that were deleted, or that the key may no longer use. The answers themselves are
 * kept: the key's owner has read them.
 */
export const withoutGone = async <T extends WithEvidence>(
  indexes: Pick<Indexes, "visibleDocuments">,
  principal: Principal,
  messages: readonly T[],
): Promise<T[]> => {
  const all = messages.flatMap(({ detail }) => detail?.evidence ?? []);
  const ids = [...new Set(all.flatMap(documentsOf))];
  if (ids.length === 0) return [...messages];
  const indexIds = [...new Set(all.map(({ index }) => index.id))];
  const found = await indexes.visibleDocuments(principal, { indexIds, ids });
  const visible = new Set(found.map(({ indexId, id }) => `${indexId} ${id}`));
  return messages.map((message) => {
    const { detail } = message;
    if (!detail?.evidence) return message;
    const { evidence } = detail;
    const gone = [...new Set(documentsOf(evidence))].filter((id) => !visible.has(`${evidence.index.id} ${id}`));
    return { ...message, detail: { ...detail, evidence: without(evidence, gone) } };
  });
};

const documentsOf = ({ chunks, citations }: AnswerEvidence): string[] =>
  [...chunks, ...citations].map(({ document_id }) => document_id);

const without = (evidence: AnswerEvidence, gone: string[]): AnswerEvidence => ({
  ...evidence,
  gone,
  chunks: evidence.chunks.filter(({ document_id }) => !gone.includes(document_id)),
  citations: evidence.citations.map((citation) =>
    gone.includes(citation.document_id) ? { ...citation, quote: "" } : citation,
  ),
});
