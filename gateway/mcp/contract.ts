import { type Static, Type } from "@sinclair/typebox";
import { OneOf, Page, PageQuery, Strict } from "../contract";
import { RagAnswer, RagQuery } from "../rag/contract";
import { RagIndex } from "../rag/indexes/contract";
import { Conditions } from "../rag/search/filter";
import { Citation, RetrievalSettings } from "../retrieval-contract";

/* Messages of the Model Context Protocol (JSON-RPC 2.0), and the inputs and outputs of the tools. */

const MessageId = Type.Union([
  Type.String({ maxLength: 1000 }),
  Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
]);

/** `POST /mcp`. The SDK validates `params` against the protocol revision of the request. */
export const McpMessage = Type.Object(
  {
    jsonrpc: Type.Literal("2.0"),
    id: Type.Optional({ ...MessageId, description: "Omitted for notifications" }),
    method: Type.String({ minLength: 1, maxLength: 200 }),
    params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  {
    title: "McpMessage",
    // Not `Strict`, which allows null in optional fields: a message whose id is null is not a notification.
    additionalProperties: false,
    description: "A request or notification of the Model Context Protocol",
    examples: [{ jsonrpc: "2.0", id: 1, method: "tools/list" }],
  },
);
export type McpMessage = Static<typeof McpMessage>;

const error = Type.Object({
  code: Type.Integer({ description: "JSON-RPC error code" }),
  message: Type.String({ description: "What is wrong and what to do" }),
  data: Type.Optional(
    Type.Unknown({ description: "The fields of `ErrorBody`, if Groundwire's own checks rejected the request" }),
  ),
});

/** An error response of `/mcp`, whatever its status. */
export const McpError = Type.Object(
  { jsonrpc: Type.Literal("2.0"), id: Type.Union([MessageId, Type.Null()]), error },
  {
    title: "McpError",
    description:
      "The body of every error response of `/mcp`. A failed tool call returns a result with `isError` instead",
    examples: [{ jsonrpc: "2.0", id: null, error: { code: -32000, message: "What was wrong and what to do." } }],
  },
);

export const McpResponse = Type.Object(
  {
    jsonrpc: Type.Literal("2.0"),
    id: Type.Union([MessageId, Type.Null()]),
    result: Type.Optional(Type.Unknown()),
    error: Type.Optional(error),
  },
  { title: "McpResponse", examples: [{ jsonrpc: "2.0", id: 1, result: { tools: [] } }] },
);

const { index, question, history, model, max_tokens } = RagQuery.properties;
const filter = Type.Optional(Conditions);
const top_k = Type.Optional(RetrievalSettings.properties.top_k);

export const ListIndexes = Strict(PageQuery.properties);
export type ListIndexes = Static<typeof ListIndexes>;

export const ListedIndexes = Page(Type.Pick(RagIndex, ["id", "name", "description", "status", "documents", "chunks"]));
export type ListedIndexes = Static<typeof ListedIndexes>;

export const SearchIndex = Strict({ index, question, top_k, filter });
export type SearchIndex = Static<typeof SearchIndex>;

const { chunks, ...retrieval } = Type.Pick(RagAnswer, [
  "index",
  "threshold",
  "warning",
  "degraded",
  "chunks",
]).properties;

export const FoundPassages = Type.Object({
  passages: Type.Array(
    Type.Object({
      ...Type.Pick(chunks.items, [
        ...(["document_title", "source", "heading", "page", "text", "metadata"] as const),
        ...(["id", "document_id", "start", "end"] as const),
      ]).properties,
      score: chunks.items.properties.scores.properties.final,
    }),
    { description: "Best first" },
  ),
  ...retrieval,
});
export type FoundPassages = Static<typeof FoundPassages>;

export const AskIndex = Strict({ index, question, history, top_k, filter, model, max_tokens });
export type AskIndex = Static<typeof AskIndex>;

export const IndexAnswer = Type.Object({
  status: OneOf(["answered", "no_relevant_context"], {
    description: "no_relevant_context: the index has nothing relevant, and `answer` says so",
  }),
  answer: Type.String({ description: "Markers such as [1] refer to `citations`" }),
  citations: Type.Array(
    Type.Pick(Citation, ["marker", "quote", "document_title", "page", "document_id", "chunk_id", "start", "end"]),
    { description: "In the order of the answer" },
  ),
  ...Type.Pick(RagAnswer, ["sources", "model", "finish_reason"]).properties,
  supported: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], {
    description: "Fraction of the answer's sentences that the passages support; null: the answer makes no claims",
  }),
  ...retrieval,
});
export type IndexAnswer = Static<typeof IndexAnswer>;
