import { type Static, Type } from "@sinclair/typebox";
import { Component, Count, NEUTRAL, Nullable, OneOf, Strict } from "../contract";

const text = Type.String({ minLength: 1 });
const model = Type.Optional(
  Type.String({ minLength: 1, maxLength: 200, description: "The default embedding model if omitted" }),
);
/** The field that Cohere and Voyage use for this. */
const inputType = OneOf(["query", "document"], {
  description: "Adds the model's query or document prefix to every text. Omitted: no prefix",
});
const tokens = Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1, maxItems: 100_000 });

export const Metadata = Type.Record(
  Type.String({ minLength: 1, maxLength: 64 }),
  Type.Union([Type.String({ maxLength: 2000 }), Type.Number(), Type.Boolean(), Type.Null()]),
  { title: "Metadata", description: "Your own values by field name. Queries can filter on them", maxProperties: 64 },
);
export type Metadata = Static<typeof Metadata>;

/** Also stores up to 256 texts with their vectors in an index, as documents with one chunk each. */
const StoreEmbeddings = Strict(
  {
    index: Type.String({ minLength: 1, maxLength: 100, description: "Id or name of the index" }),
    ids: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        uniqueItems: true,
        maxItems: 2048,
        description:
          "One per text, stored as the document's `source`. A document with the same id is replaced. Omitted: equal texts are one document",
      }),
    ),
    metadata: Type.Optional(Type.Array(Metadata, { maxItems: 2048, description: "One per text" })),
  },
  {
    title: "StoreEmbeddings",
    description:
      "Makes up to 256 texts searchable in one step, with the vectors in this response. The index must use the same model. The texts are embedded as documents. Storing the same texts again has no effect",
    examples: [{ index: "handbook", ids: ["faq-1"], metadata: [{ site: "north" }] }],
  },
);
export type StoreEmbeddings = Static<typeof StoreEmbeddings>;

/** `POST /v1/embeddings`, OpenAI's format. */
export const EmbeddingRequest = Strict(
  {
    model,
    input: Type.Union(
      [
        text,
        Type.Array(text, { minItems: 1, maxItems: 2048 }),
        tokens,
        Type.Array(tokens, { minItems: 1, maxItems: 2048 }),
      ],
      {
        description:
          "A string, a list of strings, token ids or lists of them. None may be empty or exceed the model's context window",
      },
    ),
    encoding_format: Type.Optional(OneOf(["float", "base64"], { default: "float", [NEUTRAL]: ["float"] })),
    dimensions: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: "Rejected by models that can't shorten their vectors",
      }),
    ),
    input_type: Type.Optional(inputType),
    user: Type.Optional(Type.String({ maxLength: 200, description: "Accepted, but has no effect" })),
    store: Type.Optional(StoreEmbeddings),
  },
  {
    title: "EmbeddingRequest",
    examples: [{ model: "all-minilm-l6-v2", input: ["A man is eating food.", "A man is eating a piece of bread."] }],
  },
);
export type EmbeddingRequest = Static<typeof EmbeddingRequest>;

/** `POST /v1/tokenize`. */
export const TokenizeRequest = Strict(
  {
    model,
    input: Type.Union(
      [
        Type.String({ maxLength: 65_536 }),
        Type.Array(Type.String({ maxLength: 65_536 }), { minItems: 1, maxItems: 256 }),
      ],
      { description: "A text or a list of texts, which may be longer than the model's context window" },
    ),
    input_type: Type.Optional(inputType),
  },
  { title: "TokenizeRequest", examples: [{ input: ["A man is eating food.", "A man is eating a piece of bread."] }] },
);
export type TokenizeRequest = Static<typeof TokenizeRequest>;

export const TokenCounts = Component("TokenCounts", {
  model: Type.String(),
  data: Type.Array(
    Type.Object(
      { count: Count("Number of tokens, including the special tokens that the model adds") },
      { title: "TokenCount" },
    ),
    { description: "In the order of the inputs" },
  ),
});
export type TokenCounts = Static<typeof TokenCounts>;

export const Embedding = Component("Embedding", {
  object: Type.Literal("embedding"),
  index: Count("Index of the input"),
  embedding: Type.Union([Type.Array(Type.Number()), Type.String()], {
    description: "L2-normalised; base64: little-endian 32-bit floats",
  }),
});
export type Embedding = Static<typeof Embedding>;

export const EmbeddingList = Component("EmbeddingList", {
  object: Type.Literal("list"),
  data: Type.Array(Embedding, { description: "In the order of the inputs" }),
  model: Type.String(),
  model_revision: Type.String(),
  usage: Type.Object(
    { prompt_tokens: Count(), total_tokens: Count() },
    { description: "Tokens of all inputs, including those from the cache" },
  ),
  cache: Type.Object({
    hits: Count("Inputs served from the cache"),
    misses: Count("Computed inputs; identical ones count once"),
  }),
  stored: Nullable(
    Type.Object({
      index_id: Type.String(),
      revision: Type.Integer({ minimum: 1, description: "Revision of the index that contains these vectors" }),
      ids: Type.Array(Type.String(), { description: "Document ids, in the order of the texts" }),
    }),
    { description: "Only with `store`" },
  ),
  request_id: Type.String(),
});
export type EmbeddingList = Static<typeof EmbeddingList>;
