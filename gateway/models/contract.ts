import { type Static, Type } from "@sinclair/typebox";
import { Nullable, OneOf, Page, wholePage } from "../contract";

/** What the engine uses for the parameters that a request leaves out. */
export const DefaultSampling = Nullable(
  Type.Object({
    temperature: Type.Number(),
    top_p: Type.Number(),
    top_k: Type.Integer({ description: "0: all tokens" }),
    repetition_penalty: Type.Number({
      description: "For chats; 1: none. JSON answers and raw completions have none unless the request sets one",
    }),
  }),
  { description: "Defaults for requests; null: the server behind the node decides" },
);

/** OpenAI's model object with Groundwire's additions. */
export const Model = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("model"),
    created: Type.Integer({ minimum: 0, description: "Seconds since 1970: when a node first offered it" }),
    owned_by: Type.String(),
    kind: OneOf(["chat", "embedding"]),
    revision: Type.String(),
    context_window: Type.Integer({
      minimum: 1,
      description: "Tokens of prompt and answer together, or of one text to embed",
    }),
    dimensions: Nullable(Type.Integer({ minimum: 1 }), { description: "Length of the vectors; null for a chat model" }),
    sampling: DefaultSampling,
    default: Type.Boolean({ description: "Used if a request names no model" }),
    ready: Type.Boolean({ description: "At least one node can answer with it now" }),
  },
  {
    title: "Model",
    examples: [
      {
        id: "smollm2-135m-instruct",
        object: "model",
        created: 1_795_464_900,
        owned_by: "groundwire",
        kind: "chat",
        revision: "b179c9523d0e",
        context_window: 4096,
        dimensions: null,
        sampling: { temperature: 0.2, top_p: 0.9, top_k: 50, repetition_penalty: 1.15 },
        default: true,
        ready: true,
      },
    ],
  },
);
export type Model = Static<typeof Model>;

/** OpenAI's list (`object` and `data`) and our page format in one. Always complete. */
export const ModelList = Type.Object(
  { object: Type.Literal("list"), ...Page(Model).properties },
  { title: "ModelList", examples: [{ object: "list", ...wholePage(Model.examples) }] },
);
export type ModelList = Static<typeof ModelList>;
