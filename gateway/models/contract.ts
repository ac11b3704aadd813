import { type Static, Type } from "@sinclair/typebox";
import { Component, Nullable, OneOf, Page, Timestamp } from "../contract";

/** The engine's defaults for parameters that a request omits. */
export const DefaultSampling = Nullable(
  Type.Object({
    temperature: Type.Number(),
    top_p: Type.Number(),
    top_k: Type.Integer({ description: "0: all tokens" }),
    repetition_penalty: Type.Number({
      description:
        "For chats. 1: no penalty. JSON answers and raw completions have no penalty unless the request sets one",
    }),
  }),
  { description: "Defaults for requests; null: the server behind the node decides" },
);

export const ModelPrefixes = Nullable(Type.Object({ query: Type.String(), document: Type.String() }), {
  description: "Text that the model expects before inputs with this `input_type`; null: none",
});

/** What a model can do on the server that runs it; see `gpu-node/protocol.ts`. */
export const ModelCapabilities = Component("ModelCapabilities", {
  chat: Type.Boolean({ description: "Answers `messages`. false: it only completes prompts, or embeds texts" }),
  tools: Type.Boolean({ description: "Calls functions" }),
  vision: Type.Boolean({ description: "Reads images in messages" }),
  audio_input: Type.Boolean({ description: "Reads audio in messages" }),
  reasoning: Type.Boolean({ description: "Accepts `reasoning_effort`, and returns its reasoning separately" }),
  json_schema: Type.Boolean({ description: "Accepts `response_format` of type `json_schema` or `json_object`" }),
  logprobs: Type.Boolean(),
  max_choices: Type.Integer({ minimum: 1, description: "Maximum `n`. 1: one answer per request" }),
  dimensions: Type.Boolean({ description: "Can shorten its vectors to the requested `dimensions`" }),
  rerank: Type.Boolean({ description: "Sorts documents by relevance to a query" }),
  max_output_tokens: Nullable(Type.Integer({ minimum: 1 }), {
    description:
      "Maximum answer length in tokens. The prompt shares the context window; null for a model that generates no text",
  }),
  extra_fields: Type.Array(Type.String(), {
    description: "Request fields that aren't part of this API and are passed to the model's server",
    examples: [["chat_template_kwargs", "min_tokens"]],
  }),
});

/** A model with the fields of OpenAI's and Anthropic's model objects, and Groundwire's own. */
export const Model = Component("Model", {
  id: Type.String({ examples: ["smollm2-135m-instruct"] }),
  object: Type.Literal("model"),
  created: Type.Integer({ minimum: 0, description: "When a node first offered the model, in seconds since 1970" }),
  owned_by: Type.String(),
  type: Type.Literal("model", { description: "Same as `object`, for Anthropic's clients" }),
  display_name: Type.String({ description: "Same as `id`, for Anthropic's clients" }),
  created_at: { ...Timestamp, description: "Same as `created`, for Anthropic's clients" },
  kind: OneOf(["chat", "embedding", "rerank"]),
  revision: Type.String(),
  context_window: Type.Integer({
    minimum: 1,
    description: "Maximum tokens of prompt and answer together, of one text to embed, or of a query and one document",
  }),
  dimensions: Nullable(Type.Integer({ minimum: 1 }), { description: "Length of the vectors; null for other models" }),
  prefixes: ModelPrefixes,
  sampling: DefaultSampling,
  capabilities: ModelCapabilities,
  default: Type.Boolean({ description: "Whether requests without a model use this one" }),
  ready: Type.Boolean({ description: "Whether at least one node can serve it now" }),
});
export type Model = Static<typeof Model>;

const edge = (which: string) =>
  Nullable(Type.String(), { description: `Id of the ${which} model, for Anthropic's clients` });

/**
 * A list of all models in our page format, with the fields of OpenAI's list (`object` and `data`) and Anthropic's
 * (`first_id` and `last_id`).
 */
export const ModelList = Type.Object(
  { object: Type.Literal("list"), ...Page(Model).properties, first_id: edge("first"), last_id: edge("last") },
  { title: "ModelList" },
);
export type ModelList = Static<typeof ModelList>;
