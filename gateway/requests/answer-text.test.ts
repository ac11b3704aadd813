import { expect, test } from "bun:test";
import { answerText } from "./answer-text";

const stream = (...events: object[]) =>
  `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}data: [DONE]\n\n`;
const chunk = (index: number, delta: object) => ({ choices: [{ index, delta }] });
const call = (name: string | null, json: string) => ({
  tool_calls: [{ index: 0, function: { name, arguments: json } }],
});

test.each([
  ["a document, as it is", '{"choices":[]}', '{"choices":[]}'],
  ["the text of a stream", stream(chunk(0, { content: "Red" }), chunk(0, { content: "." })), "Red."],
  ["a text completion", stream({ choices: [{ index: 0, text: "a" }] }, { choices: [{ index: 0, text: "b" }] }), "ab"],
  [
    "each choice in one piece",
    stream(
      chunk(0, { content: "Red" }),
      chunk(1, { content: "Blue" }),
      chunk(0, { content: "." }),
      chunk(1, { content: "!" }),
    ),
    "Red.\nBlue!",
  ],
  [
    "function calls",
    stream(
      chunk(0, { content: null, ...call("weather", "") }),
      chunk(0, call(null, '{"city":')),
      chunk(0, call(null, '"Rome"}')),
      chunk(0, call("time", "{}")),
    ),
    'weather {"city":"Rome"}\ntime {}',
  ],
  [
    "events of /v1/chat",
    stream({ type: "start" }, { type: "delta", text: "Wait. " }, { type: "delta", text: "", ...call("f", "{}") }),
    "Wait. \nf {}",
  ],
  [
    "events of /v1/messages",
    stream(
      { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
      { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Wait. " } },
      { type: "content_block_start", index: 1, content_block: { type: "tool_use", id: "a", name: "f", input: {} } },
      { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: "{}" } },
      { type: "message_delta", delta: { stop_reason: "tool_use", stop_sequence: null } },
    ),
    "Wait. \nf {}",
  ],
  [
    "events of /v1/responses",
    stream(
      { type: "response.output_item.added", item: { type: "message" } },
      { type: "response.output_text.delta", delta: "Wait." },
      { type: "response.output_item.added", item: { type: "function_call", name: "f" } },
      { type: "response.function_call_arguments.delta", delta: "{" },
      { type: "response.function_call_arguments.delta", delta: "}" },
      { type: "response.output_item.done", item: { type: "function_call", name: "f", arguments: "{}" } },
    ),
    "Wait.\nf {}",
  ],
  ["a frame that was cut", 'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"cho', "a"],
])("the request log stores %s", (_, body, expected) => {
  expect(answerText("/v1/chat/completions", body)).toBe(expected);
});
