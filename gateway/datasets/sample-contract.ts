import { type Static, Type } from "@sinclair/typebox";
import { FunctionName, TextMessage } from "../chat/message";
import { ToolChoice, ToolList } from "../chat/tools";
import { Id, Nullable, Strict } from "../contract";
import { Metadata } from "../embeddings/contract";

/* Separate from `contract.ts`, which needs Elysia. Without it, the Worker that reads uploads takes 8 MiB less. */

const text = Type.String({ maxLength: 1_000_000 });

/** A function call that an answer should have. */
export const ExpectedCall = Strict(
  {
    name: FunctionName,
    arguments: Type.Record(Type.String(), Type.Unknown(), {
      description: "Compared as JSON: the order of keys doesn't matter, and 1 equals 1.0",
    }),
  },
  { title: "ExpectedCall", examples: [{ name: "get_weather", arguments: { city: "Rome" } }] },
);
export type ExpectedCall = Static<typeof ExpectedCall>;

const sampleFields = {
  input: Type.Union([text, Type.Array(TextMessage, { minItems: 1, maxItems: 200 })], {
    description: "A question, or the messages of a chat",
  }),
  references: Type.Array(text, { maxItems: 100, description: "Answers that count as correct" }),
  contexts: Type.Array(text, { maxItems: 1000, description: "Source texts the answer must rely on" }),
  output: Nullable(text, { description: "An existing answer, which is scored instead of generating one" }),
  group: Nullable(Type.String({ maxLength: 200 }), {
    description: "Source or conversation: statistics treat samples of the same group as one cluster",
  }),
  tags: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 50, uniqueItems: true }),
  metadata: Metadata,
  expected_tool_calls: Nullable(Type.Array(ExpectedCall, { maxItems: 128 }), {
    description: "The function calls that the answer should have, in any order. []: none; null: they are not checked",
  }),
  tools: Nullable(ToolList, { description: "The functions that the model may call; null: none" }),
  tool_choice: Nullable(ToolChoice, { description: "null: auto" }),
};

/** The content of a sample. */
export const SampleFields = Type.Object(sampleFields);

const sampleKey = Type.String({
  minLength: 1,
  maxLength: 200,
  description: "Identifies the sample across revisions. Default: derived from the content",
});

export const NewSample = Strict(
  {
    key: Type.Optional(sampleKey),
    input: sampleFields.input,
    references: Type.Optional(sampleFields.references),
    contexts: Type.Optional(sampleFields.contexts),
    output: Type.Optional(sampleFields.output),
    group: Type.Optional(sampleFields.group),
    tags: Type.Optional(sampleFields.tags),
    metadata: Type.Optional(sampleFields.metadata),
    expected_tool_calls: Type.Optional(sampleFields.expected_tool_calls),
    tools: Type.Optional(sampleFields.tools),
    tool_choice: Type.Optional(sampleFields.tool_choice),
  },
  {
    title: "NewSample",
    examples: [{ key: "capital-fr", input: "What is the capital of France?", references: ["Paris"] }],
  },
);
export type NewSample = Static<typeof NewSample>;

export const Sample = Type.Object(
  { id: Id("sample"), key: sampleKey, ...sampleFields, hash: Type.String({ description: "sha256 of the content" }) },
  {
    title: "Sample",
    examples: [
      {
        id: "sample_01jd8x1m9k2n3p4q5r6s7t8v9w",
        key: "capital-fr",
        input: "What is the capital of France?",
        references: ["Paris"],
        contexts: [],
        output: null,
        group: null,
        tags: ["geography"],
        metadata: {},
        expected_tool_calls: null,
        tools: null,
        tool_choice: null,
        hash: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
      },
    ],
  },
);
export type Sample = Static<typeof Sample>;
