import { describe, expect, test } from "bun:test";
import type { MessagesRequest } from "./contract";
import { promptOf, toChatRequest } from "./request";

type Messages = MessagesRequest["messages"];

const chatMessages = (...messages: Messages) => promptOf({ model: "m", messages }).messages;
const request = (fields: Partial<MessagesRequest>, canReason = true) =>
  toChatRequest({ model: "m", max_tokens: 10, messages: [{ role: "user", content: "Hi" }], ...fields }, canReason);

const text = (content: string) => ({ type: "text" as const, text: content });
const image = {
  type: "image" as const,
  source: { type: "base64" as const, media_type: "image/png" as const, data: "AA" },
};
const picture = { type: "image_url", image_url: { url: "data:image/png;base64,AA" } };

describe("messages", () => {
  test("of the same role are combined into one turn", () => {
    expect(
      chatMessages(
        { role: "user", content: "One." },
        { role: "user", content: [text("Two."), text("")] },
        { role: "assistant", content: "Three." },
        { role: "assistant", content: [text("Four.")] },
      ),
    ).toEqual([
      { role: "user", content: "One.\n\nTwo." },
      { role: "assistant", content: "Three.\n\nFour." },
    ]);
  });

  test("of the role system keep their position, as the user's", () => {
    expect(
      chatMessages(
        { role: "user", content: "Hi" },
        { role: "system", content: [text("Be brief.")] },
        { role: "assistant", content: "Hello" },
        { role: "system", content: "Be polite." },
      ),
    ).toEqual([
      { role: "user", content: "Hi\n\nBe brief." },
      { role: "assistant", content: "Hello" },
      { role: "user", content: "Be polite." },
    ]);
  });

  test("with tool results become one tool message for each, and the rest follows with the images of the results", () => {
    expect(
      chatMessages({
        role: "user",
        content: [
          text("And this?"),
          image,
          { type: "tool_result", tool_use_id: "a", content: [text("21 °C"), image] },
          { type: "tool_result", tool_use_id: "b", content: "No such city", is_error: true },
          { type: "tool_result", tool_use_id: "c" },
          { type: "tool_result", tool_use_id: "d", content: [{ type: "tool_reference", tool_name: "f" }] },
        ],
      }),
    ).toEqual([
      { role: "tool", tool_call_id: "a", content: "21 °C\n\nThe image is in the next message." },
      { role: "tool", tool_call_id: "b", content: "Error: No such city" },
      { role: "tool", tool_call_id: "c", content: "" },
      { role: "tool", tool_call_id: "d", content: "The tool f is available." },
      { role: "user", content: [picture, text("And this?"), picture] },
    ] as never);
  });

  test("of the assistant keep the reasoning that this gateway can read", () => {
    const hidden = `gw1.${Buffer.from("Hidden.").toString("base64url")}`;
    expect(
      chatMessages({
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Shown.", signature: "gw1." },
          { type: "thinking", thinking: "", signature: hidden },
          { type: "thinking", thinking: "", signature: "EqQBCgIYAhIM" },
          { type: "redacted_thinking", data: "EqQBCgIYAhIM" },
          text("Hi"),
        ],
      }),
    ).toEqual([
      {
        role: "assistant",
        content: "Hi",
        reasoning: "Shown.\n\nHidden.",
        reasoning_content: "Shown.\n\nHidden.",
      },
    ]);
  });
});

test("a request has only the fields that it sets, so that equal requests have equal cache keys", () => {
  expect(Object.keys(request({})).sort()).toEqual(["max_tokens", "messages", "model"]);
});

test.each<[Partial<MessagesRequest>, object]>([
  [{ tool_choice: { type: "auto" } }, {}],
  [{ tool_choice: { type: "auto", disable_parallel_tool_use: true } }, { parallel_tool_calls: false }],
  [{ tool_choice: { type: "any" } }, { tool_choice: "required" }],
  [{ tool_choice: { type: "none" } }, { tool_choice: "none" }],
  [{ tool_choice: { type: "tool", name: "f" } }, { tool_choice: { type: "function", function: { name: "f" } } }],
  [{ thinking: { type: "disabled" } }, { reasoning_effort: "none" }],
  [{ thinking: { type: "adaptive" } }, {}],
  [{ thinking: { type: "enabled", budget_tokens: 1024 } }, { reasoning_effort: "low" }],
  [{ thinking: { type: "enabled", budget_tokens: 10_000 } }, { reasoning_effort: "medium" }],
  [{ thinking: { type: "enabled", budget_tokens: 32_000 } }, { reasoning_effort: "high" }],
  [{ thinking: { type: "adaptive" }, output_config: { effort: "max" } }, { reasoning_effort: "max" }],
  [{ thinking: { type: "disabled" }, output_config: { effort: "max" } }, { reasoning_effort: "none" }],
])("%j becomes %j", (fields, expected) => {
  const { model: _, max_tokens: __, messages: ___, ...rest } = request(fields);
  expect(rest).toEqual(expected as never);
});

test("reasoning settings are left out for a model without reasoning", () => {
  expect(request({ thinking: { type: "enabled", budget_tokens: 1024 } }, false)).not.toHaveProperty("reasoning_effort");
});
