import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { RagAnswer, RagEvent, RagQuery, RetrievedChunk } from "../../../gateway/rag/contract";
import type { Citation } from "../../../gateway/retrieval-contract";

type Event<T extends RagEvent["type"]> = Extract<RagEvent, { type: T }>;

/** A question and its answer so far. */
export interface Asked {
  question: string;
  stage: "searching" | "writing" | "checking" | "answered" | "stopped";
  /** Known before the first token. */
  retrieval?: Omit<Event<"retrieval">, "type" | "cache">;
  text: string;
  citations: readonly Citation[];
  grounding?: RagAnswer["grounding"];
  /** Ids of cited documents that no longer exist. */
  gone?: readonly string[];
  /** Makes ids unique on a page with several answers. */
  scope?: string;
  /** Set at the end. */
  answer?: RagAnswer;
}

export const newlyAsked = (question: string): Asked => ({ question, stage: "searching", text: "", citations: [] });

/** The state after an event of the answer's stream. */
export const after = (asked: Asked, event: RagEvent): Asked => {
  switch (event.type) {
    case "retrieval":
      return { ...asked, stage: "writing", retrieval: event };
    case "token":
      return { ...asked, text: asked.text + event.text };
    case "citations":
      return { ...asked, stage: "checking", text: event.answer, citations: event.citations };
    case "grounding":
      return { ...asked, grounding: event.grounding };
    case "done": {
      const { answer } = event;
      const { grounding, citations } = answer;
      return {
        ...asked,
        stage: "answered",
        retrieval: answer,
        text: answer.answer ?? "",
        citations,
        grounding,
        answer,
      };
    }
  }
};

/** The citation by the model, or the passage that Groundwire found for a sentence without one. */
export const isFound = ({ found_by: foundBy }: Citation): boolean => foundBy === "groundwire";

/** The spans of a chunk's text that citations refer to. */
export const citedSpans = (chunk: RetrievedChunk, citations: readonly Citation[]) =>
  citations
    .filter((citation) => citation.chunk_id === chunk.id)
    .map((citation) => ({
      start: Math.max(0, citation.start - chunk.start),
      end: Math.min(chunk.text.length, citation.end - chunk.start),
      kind: isFound(citation) ? "found" : "cited",
    }));

type History = NonNullable<RagQuery["history"]>;

const MAX_TURNS = 10;
const StoredHistory = Type.Array(
  Type.Object({ role: Type.Union([Type.Literal("user"), Type.Literal("assistant")]), content: Type.String() }),
  { maxItems: 100 },
);

/** The earlier turns that a form carries as JSON; none if it is not valid. */
export const readHistory = (text: string): History => {
  try {
    const given: unknown = JSON.parse(text || "[]");
    return Value.Check(StoredHistory, given) ? given.slice(-2 * MAX_TURNS) : [];
  } catch {
    return [];
  }
};

/** The history of the next question. */
export const historyWith = (history: History, { question, text }: Asked): History => [
  ...history,
  { role: "user", content: question },
  { role: "assistant", content: text },
];
