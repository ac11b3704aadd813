import { expect, test } from "bun:test";
import type { ChatEvent } from "../chat/contract";
import type { ToolCallDelta } from "../chat/message";
import { MessageEvents } from "./events";

const delta = (fields: { text?: string; reasoning?: string; tool_calls?: ToolCallDelta[] }): ChatEvent => ({
  ...{ type: "delta", text: "", tokens: 1 },
  ...fields,
});
const call = (fields: ToolCallDelta) => delta({ tool_calls: [fields] });
const start = (index: number | undefined, id: string) =>
  call({ index, id, type: "function", function: { name: "f", arguments: "" } });
const piece = (index: number | undefined, json: string) => call({ index, function: { arguments: json } });

/** The events as lists without their type, starting with the index of the block. */
const blocksOf = (events: ChatEvent[]) => {
  const translation = new MessageEvents({}, "summarized");
  return events
    .flatMap((event) => translation.from(event))
    .map((event) => {
      if (event.type === "content_block_start") return [event.index, event.content_block.type];
      if (event.type === "content_block_delta") return [event.index, Object.values(event.delta).at(-1)];
      return [event.type];
    });
};

test("calls without an index are separate blocks, each with its input", () => {
  expect(
    blocksOf([start(undefined, "a"), piece(undefined, '{"x":'), piece(undefined, "1}"), start(undefined, "b")]),
  ).toEqual([[0, "tool_use"], [0, '{"x":1}'], ["content_block_stop"], [1, "tool_use"]]);
});

test("text after a call and thinking after text start new blocks", () => {
  expect(
    blocksOf([delta({ text: "a" }), start(0, "a"), piece(0, "{}"), delta({ text: "b" }), delta({ reasoning: "c" })]),
  ).toEqual([
    ...[[0, "text"], [0, "a"], ["content_block_stop"]],
    ...[[1, "tool_use"], [1, "{}"], ["content_block_stop"]],
    ...[[2, "text"], [2, "b"], ["content_block_stop"]],
    ...[
      [3, "thinking"],
      [3, "c"],
    ],
  ]);
});

test("a call without an id gets one", () => {
  const [event] = new MessageEvents({}, "none").from(call({ index: 0, function: { name: "f", arguments: "{}" } }));
  expect(event).toMatchObject({ content_block: { id: expect.stringMatching(/^toolu_/) } });
});

test("a piece of a call that has ended is reported as the server's error", () => {
  expect(() => blocksOf([start(0, "a"), start(1, "b"), piece(0, "{}")])).toThrow(
    "The model's server interleaved the pieces of several tool calls.",
  );
});
