import { type Static, Type } from "@sinclair/typebox";
import { Component, Count, Nullable, OneOf, Page, Strict, Timestamp } from "../contract";

const name = Type.String({ pattern: "^[a-z][a-z0-9_-]{0,99}$" });
const messages = Type.Array(
  Strict({ role: OneOf(["system", "user", "assistant"]), content: Type.String({ maxLength: 1_000_000 }) }),
  { minItems: 1, maxItems: 100, description: "`{{variable}}` is replaced with a value" },
);

/** A version never changes. Its hash is the hash of its content. */
export const PromptVersion = Type.Object(
  {
    name,
    version: Type.Integer({ minimum: 1 }),
    hash: Type.String({ description: "sha256 of the messages" }),
    messages,
    variables: Type.Array(Type.String(), { description: "The variables in the messages" }),
    labels: Type.Array(Type.String()),
    note: Type.String(),
    used_by_runs: Count(),
    created_by: Type.String(),
    created_at: Timestamp,
  },
  {
    title: "PromptVersion",
    examples: [
      {
        name: "short-answer",
        version: 2,
        hash: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        messages: [
          { role: "system", content: "Answer in one sentence." },
          { role: "user", content: "{{input}}" },
        ],
        variables: ["input"],
        labels: ["production"],
        note: "One sentence instead of two",
        used_by_runs: 3,
        created_by: "key_4fT9kQ2mXw7R",
        created_at: "2026-11-23T20:15:00.000Z",
      },
    ],
  },
);
export type PromptVersion = Static<typeof PromptVersion>;

export const PromptVersionPage = Page(PromptVersion);

export const Prompt = Component("Prompt", {
  name,
  latest: PromptVersion,
  versions: Count(),
  labels: Type.Record(Type.String(), Type.Integer({ minimum: 1 }), { description: "Version by label" }),
  updated_at: Timestamp,
});
export type Prompt = Static<typeof Prompt>;

export const PromptPage = Page(Prompt);

/**
 * `POST /v1/prompts`: a new prompt or its next version. Sending the content of the newest version doesn't create a
 * version.
 */
export const CreatePromptVersion = Strict(
  { name, messages, note: Type.Optional(Type.String({ maxLength: 1000 })) },
  {
    title: "CreatePromptVersion",
    examples: [{ name: "short-answer", messages: [{ role: "user", content: "In one sentence: {{input}}" }] }],
  },
);
export type CreatePromptVersion = Static<typeof CreatePromptVersion>;

/** `PUT /v1/prompts/{name}/labels/{label}`. */
export const MoveLabel = Strict(
  { version: Nullable(Type.Integer({ minimum: 1 }), { description: "null: removes the label" }) },
  { title: "MoveLabel", examples: [{ version: 2 }] },
);
export type MoveLabel = Static<typeof MoveLabel>;
