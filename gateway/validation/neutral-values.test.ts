import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { NEUTRAL, Nullable, OneOf, Strict } from "../contract";
import { leaveOutNeutral } from "./neutral-values";

const User = Strict({ role: OneOf(["user", "system"]), content: Type.String() });
const Assistant = Strict({
  role: Type.Literal("assistant"),
  content: Type.Optional(Type.String({ [NEUTRAL]: [""] })),
  calls: Type.Optional(Type.Array(Type.String(), { [NEUTRAL]: [[]] })),
  hint: Type.Optional(Type.Unknown({ [NEUTRAL]: "any" })),
});
const Tool = Strict({ role: Type.Literal("tool"), call_id: Type.String() });
const Parts = Strict({
  role: Type.Literal("user"),
  content: Type.Array(Strict({ text: Type.String(), hint: Type.Optional(Type.Unknown({ [NEUTRAL]: "any" })) })),
});
const Body = Strict({
  needed: Type.String(),
  plain: Type.Optional(Type.String()),
  limit: Type.Optional(Nullable(Type.Integer(), { description: "null: no limit" })),
  count: Type.Optional(Type.Integer({ [NEUTRAL]: [1] })),
  options: Type.Optional(Strict({ usage: Type.Optional(Type.Boolean({ [NEUTRAL]: [false] })) }, { [NEUTRAL]: [{}] })),
  free: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  turns: Type.Optional(Type.Array(Type.Union([User, Assistant, Tool, Parts]))),
  ask: Type.Optional(
    Type.Union([
      Strict({ messages: Type.Array(Type.String()), odds: Type.Optional(Type.Boolean({ [NEUTRAL]: [false] })) }),
      Strict({ prompt: Type.String(), odds: Type.Optional(Type.Integer()) }),
    ]),
  ),
});

test.each<[object, object]>([
  [{ plain: null }, {}],
  [{ plain: "" }, { plain: "" }],
  [{ needed: null }, { needed: null }],
  [{ limit: null }, { limit: null }],
  [{ count: 1 }, {}],
  [{ count: null }, {}],
  [{ count: 2 }, { count: 2 }],
  [{ count: "1" }, { count: "1" }],
  [{ options: {} }, {}],
  [{ options: [] }, {}],
  [{ options: [null] }, { options: [null] }],
  [{ free: [] }, { free: [] }],
  [{ options: { usage: false } }, {}],
  [{ options: { usage: true } }, { options: { usage: true } }],
  [{ options: null }, {}],
  [{ free: { any: null } }, { free: { any: null } }],
  [{ unknown: null }, { unknown: null }],
  [{ turns: [{ role: "user", content: "" }] }, { turns: [{ role: "user", content: "" }] }],
  [{ turns: [{ role: "user", content: null }] }, { turns: [{ role: "user", content: null }] }],
  [{ turns: [{ role: "assistant", content: "" }] }, { turns: [{ role: "assistant" }] }],
  [{ turns: [{ role: "assistant", calls: [], hint: { a: 1 } }] }, { turns: [{ role: "assistant" }] }],
  [{ turns: [{ role: "assistant", calls: {} }] }, { turns: [{ role: "assistant" }] }],
  [{ ask: { messages: [], odds: false } }, { ask: { messages: [] } }],
  [{ ask: { prompt: "a", odds: false } }, { ask: { prompt: "a", odds: false } }],
  [{ ask: { prompt: "a", odds: null } }, { ask: { prompt: "a" } }],
  [{ ask: { odds: false } }, { ask: {} }],
  [{ turns: [{ role: "assistant", calls: ["a"] }] }, { turns: [{ role: "assistant", calls: ["a"] }] }],
  [{ turns: [{ role: "user", content: "a", calls: null }] }, { turns: [{ role: "user", content: "a" }] }],
  [{ turns: [{ role: "user", content: "a", call_id: null }] }, { turns: [{ role: "user", content: "a" }] }],
  [{ turns: [{ role: "user", content: "a", call_id: "" }] }, { turns: [{ role: "user", content: "a", call_id: "" }] }],
  [{ turns: [{ role: "tool", call_id: null, hint: 1 }] }, { turns: [{ role: "tool", call_id: null }] }],
  [
    { turns: [{ role: "user", content: [{ hint: 1, text: "a" }] }] },
    { turns: [{ role: "user", content: [{ text: "a" }] }] },
  ],
  [{ turns: [{ role: "robot", content: null }] }, { turns: [{ role: "robot", content: null }] }],
  [{ turns: "no list" }, { turns: "no list" }],
  [{ turns: [null, 1, []] }, { turns: [null, 1, []] }],
])("%j becomes %j", (body, left) => {
  leaveOutNeutral(Body, body);
  expect(body).toEqual(left);
});

test("a body that is not an object is unchanged, and validation rejects it", () => {
  for (const body of [null, undefined, 5, "text", [], [null]]) {
    expect(() => leaveOutNeutral(Body, body)).not.toThrow();
  }
});
