import "elysia"; // Registers the formats.
import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { InvalidateCache } from "../cache/contract";
import { ChatCompletionRequest } from "../chat/contract";
import { NAME_PATTERN, Name, NOT_BLANK, notAnId } from "../contract";
import { EmbeddingRequest } from "../embeddings/contract";
import { CreateKey } from "../keys/contract";
import { invalidRequest } from "./problems";

const problem = (fields: object) => {
  const body = { messages: [{ role: "user", content: "hi" }], ...fields };
  const { message, detail } = invalidRequest(Value.Errors(ChatCompletionRequest, body));
  return [detail.param, message];
};

test.each([
  [{ max_tokens: -5 }, "max_tokens", "max_tokens must be 1 or more, not -5."],
  [{ max_tokens: 1.5 }, "max_tokens", "max_tokens must be a whole number, not 1.5."],
  [{ n: 1e9 }, "n", "n must be 128 or less, not 1000000000."],
  [{ temperature: 3 }, "temperature", "temperature must be 2 or less, not 3."],
  [{ stream: "yes" }, "stream", 'stream must be true or false, not "yes".'],
  [{ stop: [""] }, "stop.0", "stop.0 must have at least 1 character."],
  [{ stop: [1] }, "stop.0", "stop.0 must be a string, not 1."],
  [{ functions: [{}] }, "functions", "functions is not supported. Leave it out, or send [] or null."],
  [
    { function_call: "required" },
    "function_call",
    'function_call is not supported. Leave it out, or send "none" or "auto" or null.',
  ],
  [{ tools: [{}] }, "tools.0.type", "tools.0.type is missing."],
  [
    { tools: [{ type: "function", function: { name: "a b" } }] },
    "tools.0.function.name",
    expect.stringContaining("tools.0.function.name must "),
  ],
  [{ tool_choice: { type: "function" } }, "tool_choice.function", "tool_choice.function is missing."],
  [{ tool_choice: "always" }, "tool_choice", expect.stringContaining('not "always"')],
  [{ logit_bias: { 5: 1 } }, "logit_bias", "logit_bias is not supported. Leave it out, or send {} or null."],
  [
    { messages: [{ role: "assistant", content: "x", function_call: { name: "f" } }] },
    "messages.0.function_call",
    "messages.0.function_call is not supported. Leave it out, or send {} or null.",
  ],
  [
    { messages: [{ role: "assistant", content: "x", tool_calls: [{ id: "1", type: "function" }] }] },
    "messages.0.tool_calls.0.function",
    "messages.0.tool_calls.0.function is missing.",
  ],
  [{ messages: [{ role: "tool", content: "x" }] }, "messages.0.tool_call_id", "messages.0.tool_call_id is missing."],
  [{ messages: [] }, "messages", "messages must have at least 1 item."],
  [{ messages: "hi" }, "messages", 'messages must be a list, not "hi".'],
  [{ messages: [{ role: "user" }] }, "messages.0.content", "messages.0.content is missing."],
  [
    { response_format: { type: "json_schema" } },
    "response_format.json_schema",
    "response_format.json_schema is missing.",
  ],
])("%j is rejected with the name of the field", (fields, param, message) => {
  expect(problem(fields)).toEqual([param, message]);
});

test("the error for an unknown role lists the roles", () => {
  expect(problem({ messages: [{ role: "robot", content: "x" }] })).toEqual([
    "messages.0.role",
    'messages.0.role must be "system", "developer", "user", "assistant" or "tool", not "robot".',
  ]);
});

test("the error for a content part of an unknown type names the part, not the whole content", () => {
  const messages = [{ role: "user", content: [{ type: "file", file: { file_id: "x" } }] }];
  expect(problem({ messages })).toEqual([
    "messages.0.content.0.type",
    'messages.0.content.0.type must be "text", "image_url" or "input_audio", not "file".',
  ]);
});

test("the error for an unknown response format lists its types", () => {
  expect(problem({ response_format: { type: "xml" } })).toEqual([
    "response_format.type",
    'response_format.type must be "text", "json_object" or "json_schema", not "xml".',
  ]);
});

test("the error for an invalid item names the item if the list begins with a valid one", () => {
  const param = (input: unknown) => invalidRequest(Value.Errors(EmbeddingRequest, { input })).detail.param;
  expect([["a", 1], [1, "a"], [[1], []], [[1], [2, "a"]], ["a", ""], {}].map(param)).toEqual([
    "input.1",
    "input.1",
    "input.1",
    "input.1.1",
    "input.1",
    "input",
  ]);
});

test.each([" ", " x", "x ", "a\nb", "a\tb", "\u0085", ""])("%j is not a name", (name) => {
  expect(Value.Check(Name(100), name)).toBe(false);
});

test.each(["x", "search service", "Größe 中 😀", "a.b/c"])("%j is a name", (name) => {
  expect(Value.Check(Name(100), name)).toBe(true);
});

test("the error for a name with several lines says what is accepted", () => {
  const { message } = invalidRequest(Value.Errors(Type.Object({ name: Name(100) }), { name: "a\r\nb" }));
  expect(message).toBe("name must be one line of text without leading or trailing spaces.");
});

test.each([
  [
    { name: "a", role: "member", expires_at: "tomorrow" },
    CreateKey,
    'expires_at must be an existing date and time such as 2099-12-31T23:59:59.000Z, not "tomorrow".',
  ],
  [{ name: "a", role: "member", expires_at: 5 }, CreateKey, "expires_at must be a string or null, not 5."],
  [
    {},
    InvalidateCache,
    "The body must have at least 1 field. Fields: entry, namespace, model, prompt, index, evaluator, tag.",
  ],
  [
    { model: "a", tag: "b" },
    InvalidateCache,
    "The body must have at most 1 field. Fields: entry, namespace, model, prompt, index, evaluator, tag.",
  ],
  [
    { tags: ["a", "a"] },
    Type.Object({ tags: Type.Array(Type.String(), { uniqueItems: true }) }),
    "tags must not list the same item twice.",
  ],
  [
    { name: "idx_1" },
    Type.Object({ name: Type.String({ pattern: notAnId("idx", NAME_PATTERN) }) }),
    "name must not start with idx_, as ids do.",
  ],
  [{ content: " " }, Type.Object({ content: Type.String({ pattern: NOT_BLANK }) }), "content must not be blank."],
])("the error for %j says what is valid", (body, schema, message) => {
  expect(invalidRequest(Value.Errors(schema, body)).message).toBe(message);
});

test("details list every invalid field once", () => {
  const { detail } = invalidRequest(Value.Errors(ChatCompletionRequest, { max_tokens: 0, temperature: "hot" }));
  expect(detail.details?.map(({ path }) => path).sort()).toEqual(["/max_tokens", "/messages", "/temperature"]);
});
