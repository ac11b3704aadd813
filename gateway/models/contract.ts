import { type Static, Type } from "@sinclair/typebox";
import { Component, Nullable, OneOf, Page } from "../contract";

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

/** OpenAI's model object with Groundwire's additions. */
export const Model = Component("Model", {
  id: Type.String({ examples: ["smollm2-135m-instruct"] }),
  object: Type.Literal("model"),
  created: Type.Integer({ minimum: 0, description: "When a node first offered the model, in seconds since 1970" }),
  owned_by: Type.String(),
  kind: OneOf(["chat", "embedding"]),
  revision: Type.String(),
  context_window: Type.Integer({
    minimum: 1,
    description: "Maximum tokens of prompt and answer together, or of one text to embed",
  }),
  dimensions: Nullable(Type.Integer({ minimum: 1 }), { description: "Length of the vectors; null for a chat model" }),
  prefixes: ModelPrefixes,
  sampling: DefaultSampling,
  default: Type.Boolean({ description: "Whether requests without a model use this one" }),
  ready: Type.Boolean({ description: "Whether at least one node can serve it now" }),
});
export type Model = Static<typeof Model>;

/** OpenAI's list (`object` and `data`) combined with our page format. Always complete. */
export const ModelList = Type.Object(
  { object: Type.Literal("list"), ...Page(Model).properties },
  { title: "ModelList" },
);
export type ModelList = Static<typeof ModelList>;
