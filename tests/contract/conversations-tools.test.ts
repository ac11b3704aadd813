import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { readEvents } from "../harness";
import type { ScriptedServer } from "../scripted-server";
import { startCapableStack, tool } from "./capable-stack";
import type { Stack } from "./stack";

type Json = Record<string, unknown>;

let stack: Stack;
let server: ScriptedServer;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ stack, server, close } = await startCapableStack());
});
afterAll(() => close());
beforeEach(() => {
  server.answer = ({ messages }) =>
    (messages as Json[]).at(-1)?.role === "tool"
      ? [{ content: "It is 21 °C.", finish_reason: "stop" }]
      : [{ reasoning: "I need the weather.", calls: [CALL], finish_reason: "tool_calls" }];
});

const CALL = { id: "call_1", name: "get_weather", arguments: '{"city":"Rome"}' };
const STORED_CALL = { id: "call_1", type: "function", function: { name: CALL.name, arguments: CALL.arguments } };
const QUESTION = "What is the weather in Rome?";
const RESULTS = { results: [{ tool_call_id: "call_1", content: "21 °C" }] };

/** Creates a conversation, and returns functions that send requests about it. */
const begin = async (body: Json = { tools: [tool] }) => {
  const key = await stack.keyOf("member");
  const send = async (method: string, path: string, body?: object) => {
    const response = await stack.call(method, path, { key, body });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };
  const { id } = (await send("POST", "/v1/conversations", body)).body;
  const path = `/v1/conversations/${id}`;
  /** The last event of an answer. */
  const ended = async ({ answer_id }: { answer_id: string }) => {
    const events = await readEvents(await stack.call("GET", `${path}/messages/${answer_id}/events`, { key }));
    return events.at(-1) as Json;
  };
  return { key, path, send, ended };
};

/** Creates a conversation with a call, its result and the next answer. */
const exchanged = async () => {
  const one = await begin();
  const asked = await one.send("POST", `${one.path}/messages`, { content: QUESTION });
  const called = await one.ended(asked.body);
  const returned = await one.send("POST", `${one.path}/messages/${asked.body.answer_id}/tool-results`, RESULTS);
  await one.ended(returned.body);
  return { ...one, asked, called, returned };
};

test("a call is stored with the reasoning, gets its result, and is sent back to the model with both", async () => {
  const { path, send, called, returned } = await exchanged();
  expect(called).toMatchObject({ status: "complete", reasoning: "I need the weather.", tool_calls: [STORED_CALL] });
  expect(returned.status).toBe(201);
  expect(server.last.tools).toEqual([tool]);
  expect(server.last.messages).toEqual([
    { role: "user", content: QUESTION },
    { role: "assistant", reasoning: "I need the weather.", tool_calls: [STORED_CALL] },
    { role: "tool", tool_call_id: "call_1", content: "21 °C" },
  ]);
  const { messages, tools } = (await send("GET", path)).body;
  expect(tools).toEqual([tool]);
  expect(messages).toMatchObject([
    { role: "user", reasoning: null, tool_calls: null, tool_call_id: null },
    { role: "assistant", content: "", detail: { finish_reason: "tool_calls", reasoning_ms: expect.any(Number) } },
    { role: "tool", content: "21 °C", tool_call_id: "call_1", detail: null },
    { role: "assistant", content: "It is 21 °C.", reasoning: null, tool_calls: null },
  ]);
});

test("an export keeps reasoning, calls, results and tools, and importing it twice adds nothing", async () => {
  const { key, path, send } = await exchanged();
  const { body: file } = await send("GET", `${path}/export`);
  const bob = await stack.keyOf("member");
  const sendAs = async (by: string, method: string, path: string, body?: object) =>
    JSON.parse(await (await stack.call(method, path, { key: by, body })).text());
  expect(await sendAs(bob, "POST", "/v1/conversations/import", file)).toEqual({ imported: 1, extended: 0, skipped: 0 });
  expect(await sendAs(bob, "POST", "/v1/conversations/import", file)).toEqual({ imported: 0, extended: 0, skipped: 1 });
  expect(await sendAs(key, "POST", "/v1/conversations/import", file)).toEqual({ imported: 0, extended: 0, skipped: 1 });
  const copy = await sendAs(bob, "GET", "/v1/conversations/export");
  const contentOf = ({
    conversations: [{ tools, messages }],
  }: {
    conversations: [{ tools: Json; messages: Json[] }];
  }) => [tools, messages.map(({ id: _, parent_id: __, ...message }) => message)];
  expect(contentOf(copy)).toEqual(contentOf(file));
  const markdown = await (await stack.call("GET", `${path}/export?format=markdown`, { key })).text();
  expect(markdown).toContain(
    '## Answer\n\nReasoning:\n\n> I need the weather.\n\nCalls get_weather:\n\n    {\n      "city": "Rome"\n    }\n\n## Result\n\n21 °C\n\n## Answer\n\nIt is 21 °C.',
  );
});

test("an import with empty lists of tools and calls has none, and is answered", async () => {
  const { send } = await begin({});
  const messages = [{ role: "assistant", content: "Hello", tool_calls: [] }];
  const conversation = { id: "chat_empty", title: "Hi", model: "everything", tools: [], messages };
  const file = { version: 1, conversations: [conversation] };
  expect((await send("POST", "/v1/conversations/import", file)).body.imported).toBe(1);
  const [{ id }] = (await send("GET", "/v1/conversations")).body.data.filter(({ title }: Json) => title === "Hi");
  expect((await send("GET", `/v1/conversations/${id}`)).body).toMatchObject({
    tools: null,
    messages: [{ tool_calls: null }],
  });
  messages.push({ role: "assistant", content: "Anything else?", tool_calls: [] });
  expect((await send("POST", "/v1/conversations/import", file)).body.extended).toBe(1);
});

test.each([
  [{ role: "tool", content: "21 °C" }, "tool_call_id is missing: a result needs the id of its call."],
  [{ role: "user", content: "Hi", tool_call_id: "call_1" }, "tool_call_id is only for the role tool."],
  [
    { role: "user", content: "Hi", tool_calls: [STORED_CALL] },
    "reasoning and tool_calls are only for the role assistant.",
  ],
])("an import is refused because of %p", async (message, problem) => {
  const { send } = await begin({});
  const conversation = { id: "chat_1", title: "Weather", model: "everything", messages: [message] };
  const imported = await send("POST", "/v1/conversations/import", { version: 1, conversations: [conversation] });
  expect([imported.status, imported.body.error.message]).toEqual([400, `Message 1 of chat_1: ${problem}`]);
});

test("tools can be changed and removed, and results are refused for an answer that calls nothing", async () => {
  const { path, send, ended } = await begin();
  server.answer = () => [{ content: "Hello", finish_reason: "stop" }];
  expect((await send("PATCH", path, { tools: null })).body.tools).toBeNull();
  const asked = await send("POST", `${path}/messages`, { content: QUESTION });
  await ended(asked.body);
  expect(server.last).not.toHaveProperty("tools");
  const returned = await send("POST", `${path}/messages/${asked.body.answer_id}/tool-results`, RESULTS);
  expect([returned.status, returned.body.error.message]).toEqual([409, "This answer calls no functions."]);
});
