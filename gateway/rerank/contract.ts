import { type Static, Type } from "@sinclair/typebox";
import { MAX_DOCUMENTS } from "../../gpu-node/protocol";
import { CacheReport, Component, Count, Id, NEUTRAL, Share, Strict } from "../contract";

const text = Type.String({ minLength: 1 });

/** `POST /v1/rerank`, in the format that Jina, Cohere and vLLM share, with TEI's `truncate`. */
export const RerankRequest = Strict(
  {
    model: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: "The default rerank model if omitted" }),
    ),
    query: text,
    documents: Type.Array(Type.Union([text, Strict({ text }, { title: "RerankDocument" })]), {
      minItems: 1,
      maxItems: MAX_DOCUMENTS,
      description: "Strings, or objects with a `text`",
    }),
    top_n: Type.Optional(
      Type.Integer({ minimum: 1, description: "Maximum number of results; all documents if omitted" }),
    ),
    return_documents: Type.Optional(
      Type.Boolean({ default: false, description: "Adds its document to each result", [NEUTRAL]: [false] }),
    ),
    truncate: Type.Optional(
      Type.Boolean({
        default: false,
        description: "Shortens documents that are too long for the model, instead of rejecting the request",
        [NEUTRAL]: [false],
      }),
    ),
  },
  {
    title: "RerankRequest",
    examples: [
      {
        query: "How many days of leave are there?",
        documents: ["Everyone has 30 days of leave.", "The canteen opens at 11:30."],
        top_n: 1,
      },
    ],
  },
);
export type RerankRequest = Static<typeof RerankRequest>;

const RerankResult = Component("RerankResult", {
  index: Count("Index of the document in the request"),
  relevance_score: Share("How relevant the document is to the query"),
  document: Type.Optional(Type.Object({ text: Type.String() }, { description: "Only with `return_documents`" })),
});

export const RerankList = Component("RerankList", {
  id: Id("rerank"),
  model: Type.String(),
  model_revision: Type.String(),
  results: Type.Array(RerankResult, { description: "Most relevant first, up to `top_n`" }),
  usage: Type.Object(
    { prompt_tokens: Count(), total_tokens: Count() },
    { description: "Tokens that the model read: the query counts once per document" },
  ),
  cache: CacheReport,
  request_id: Type.String(),
});
export type RerankList = Static<typeof RerankList>;
