import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parseCacheControl } from "../../gateway/http/request-headers";
import { readEvents } from "../harness";
import { API_ROUTES } from "./api-routes";
import { type Stack, startStack } from "./stack";

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ tokens: 20, tokenMs: 20 });
});
afterAll(() => stack.close());

const json = async (response: Response) => JSON.parse(await response.text());
const exampleFile = (messages: [role: string, content: string][]) => ({
  version: 1,
  conversations: [
    {
      id: "chat_01jd8x1m9k2n3p4q5r6s7t8v9w",
      title: "Three colours",
      model: "smollm2-135m-instruct",
      created_at: "2026-11-23T20:15:00.000Z",
      updated_at: "2026-11-23T20:16:00.000Z",
      messages: messages.map(([role, content]) => ({ role, content, created_at: "2026-11-23T20:15:30.000Z" })),
    },
  ],
});
const QUESTION: [string, string] = ["user", "Name three colours."];
const ANSWER: [string, string] = ["assistant", "Red, green and blue."];
const importAs = async (key: string, file: object) =>
  json(await stack.call("POST", "/v1/conversations/import", { key, body: file }));

test("an export is imported once, extends a conversation that it continues, and never changes another key's conversations", async () => {
  const [ada, bob] = [await stack.keyOf("member"), await stack.keyOf("member")];
  const exported = async (key: string) => json(await stack.call("GET", "/v1/conversations/export", { key }));

  expect(await importAs(ada, exampleFile([QUESTION]))).toEqual({ imported: 1, extended: 0, skipped: 0 });
  expect(await importAs(ada, exampleFile([QUESTION]))).toEqual({ imported: 0, extended: 0, skipped: 1 });
  expect(await importAs(ada, exampleFile([QUESTION, ANSWER]))).toEqual({ imported: 0, extended: 1, skipped: 0 });
  expect(await importAs(ada, exampleFile([["user", "Another."], ANSWER, QUESTION]))).toMatchObject({ skipped: 1 });

  const whole = await exported(ada);
  expect(whole.conversations).toMatchObject([{ title: "Three colours", messages: [{ content: QUESTION[1] }, {}] }]);
  expect(whole.conversations[0].messages[0].created_at).toBe("2026-11-23T20:15:30.000Z");
  // For another key, the same id is a separate conversation, imported once.
  expect(await importAs(bob, whole)).toEqual({ imported: 1, extended: 0, skipped: 0 });
  expect(await importAs(bob, whole)).toEqual({ imported: 0, extended: 0, skipped: 1 });
  expect((await exported(ada)).conversations).toHaveLength(1);
  const [mine] = (await exported(bob)).conversations;
  expect(mine.messages.map(({ content }: { content: string }) => content)).toEqual([QUESTION[1], ANSWER[1]]);

  const path = `/v1/conversations/${whole.conversations[0].id}/export`;
  expect(await json(await stack.call("GET", path, { key: ada }))).toEqual(whole);
  expect((await stack.call("GET", path, { key: bob })).status).toBe(404);
  const markdown = await stack.call("GET", `${path}?format=markdown`, { key: ada });
  expect(markdown.headers.get("content-type")).toStartWith("text/markdown");
  expect(markdown.headers.get("content-disposition")).toEndWith('.md"');
  expect(await markdown.text()).toContain("## Answer\n\nRed, green and blue.");
});

test("an import does not reveal whether another key has the conversation", async () => {
  const [ada, bob] = [await stack.keyOf("member"), await stack.keyOf("member")];
  const { id: held } = await json(await stack.call("POST", "/v1/conversations", { key: ada, body: { title: "Mine" } }));
  const unknown = `chat_${crypto.randomUUID().replaceAll("-", "")}`;
  for (const id of [held, unknown]) {
    const file = exampleFile([QUESTION]);
    const [conversation] = file.conversations;
    const renamed = { ...file, conversations: [{ ...conversation, id }] };
    expect(await importAs(bob, renamed)).toEqual({ imported: 1, extended: 0, skipped: 0 });
    expect(await importAs(bob, renamed)).toEqual({ imported: 0, extended: 0, skipped: 1 });
  }
  const { data } = await json(await stack.call("GET", "/v1/conversations", { key: bob }));
  const ids = data.map((conversation: { id: string }) => conversation.id);
  expect([ids.length, ids.includes(held), ids.includes(unknown)]).toEqual([2, false, false]);
});

test("the API can ask, regenerate, edit, select and delete a question, and an export has every version", async () => {
  const key = await stack.keyOf("member");
  const send = async (method: string, path: string, body?: object) => {
    const response = await stack.call(method, path, { key, body });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  const { id } = (await send("POST", "/v1/conversations", { title: "Three colours" })).body;
  const path = `/v1/conversations/${id}`;
  const read = async () => (await send("GET", path)).body;
  const contents = async () => (await read()).messages.map(({ content }: { content: string }) => content);
  const ended = async (begun: { answer_id: string }) => {
    await readEvents(await stack.call("GET", `${path}/messages/${begun.answer_id}/events`, { key }));
    return begun;
  };

  const asked = await send("POST", `${path}/messages`, { content: QUESTION[1] });
  expect(asked).toMatchObject({ status: 201, body: { conversation_id: id } });
  await ended(asked.body);
  const again = await send("POST", `${path}/messages/${asked.body.answer_id}/regenerate`);
  expect(again).toMatchObject({ status: 201, body: { question_id: asked.body.question_id } });
  await ended(again.body);
  const twice = await read();
  expect(twice.messages[1]).toMatchObject({
    id: again.body.answer_id,
    parent_id: asked.body.question_id,
    versions: [asked.body.answer_id, again.body.answer_id],
  });
  expect(twice.context).toMatchObject({ window: 4096, left_out: 0, first_message_id: null });
  expect(twice.context.used_tokens).toBe(twice.messages[1].detail.usage.total_tokens);

  const edit = { content: "Name three rivers.", replaces: asked.body.question_id };
  const edited = await send("POST", `${path}/messages`, edit);
  await ended(edited.body);
  expect((await contents())[0]).toBe("Name three rivers.");
  const chosen = await send("POST", `${path}/messages/${asked.body.answer_id}/select`);
  expect(chosen.body.messages.map(({ id }: { id: string }) => id)).toEqual([
    asked.body.question_id,
    asked.body.answer_id,
  ]);

  const exported = (await send("GET", `${path}/export`)).body;
  expect(exported.conversations[0]).toMatchObject({ leaf_id: asked.body.answer_id });
  expect(exported.conversations[0].messages).toHaveLength(5);
  const markdown = await (await stack.call("GET", `${path}/export?format=markdown`, { key })).text();
  expect([markdown.includes("three rivers"), markdown.includes(QUESTION[1])]).toEqual([false, true]);

  const bob = await stack.keyOf("member");
  expect(await importAs(bob, exported)).toEqual({ imported: 1, extended: 0, skipped: 0 });
  expect(await importAs(bob, exported)).toEqual({ imported: 0, extended: 0, skipped: 1 });
  const [copy] = (await json(await stack.call("GET", "/v1/conversations", { key: bob }))).data;
  const copied = await json(await stack.call("GET", `/v1/conversations/${copy.id}`, { key: bob }));
  const shape = ({ content, versions }: { content: string; versions: string[] }) => [content, versions.length];
  expect(copied.messages.map(shape)).toEqual((await read()).messages.map(shape));
  expect(copied.messages.map(shape)).toMatchObject([
    [QUESTION[1], 2],
    [expect.any(String), 2],
  ]);

  expect((await send("DELETE", `${path}/messages/${asked.body.question_id}`)).status).toBe(204);
  expect((await contents())[0]).toBe("Name three rivers.");
  expect((await send("DELETE", `${path}/messages/${asked.body.question_id}`)).status).toBe(404);
  expect((await send("POST", `${path}/messages`, { content: "  " })).status).toBe(400);
  const long = await send("POST", `${path}/messages`, { content: "word ".repeat(5000) });
  expect([long.status, long.body.error.code, long.body.error.param]).toEqual([
    400,
    "context_length_exceeded",
    "content",
  ]);
});

test("an import with a message whose parent does not come before it names the message and stores nothing", async () => {
  const key = await stack.keyOf("member");
  const file = exampleFile([QUESTION, ANSWER]);
  const [conversation] = file.conversations;
  const messages = conversation?.messages.map((message) => ({ ...message, parent_id: "msg_later" }));
  const response = await stack.call("POST", "/v1/conversations/import", {
    key,
    body: { ...file, conversations: [{ ...conversation, messages }] },
  });
  const { error } = await json(response);
  expect([response.status, error.param, error.message]).toEqual([
    400,
    "conversations",
    expect.stringContaining("The parent msg_later of message 1 of chat_01jd8x1m9k2n3p4q5r6s7t8v9w"),
  ]);
  expect((await json(await stack.call("GET", "/v1/conversations", { key }))).data).toEqual([]);
});

test("an import rejects a date that does not exist, and stores nothing", async () => {
  const key = await stack.keyOf("member");
  const { conversations, ...file } = exampleFile([QUESTION]);
  for (const field of ["created_at", "updated_at"]) {
    const body = { ...file, conversations: [{ ...conversations[0], [field]: "2026-02-30T00:00:00Z" }] };
    const response = await stack.call("POST", "/v1/conversations/import", { key, body });
    expect([response.status, (await json(response)).error.param]).toEqual([400, `conversations.0.${field}`]);
  }
  expect((await json(await stack.call("GET", "/v1/conversations", { key }))).data).toEqual([]);
});

test("a long conversation fits into one import", async () => {
  const key = await stack.keyOf("member");
  const messages = Array.from({ length: 5000 }, (_, i): [string, string] => ["user", `${i}`]);
  expect(await importAs(key, exampleFile(messages))).toMatchObject({ imported: 1 });
});

test("a key without content logging can't store conversations, and the error says so", async () => {
  const key = await stack.keyOf("member", { content_logging: false });
  const principal = await stack.gateway.services.keys.verify(`Bearer ${key}`);
  const asking = { requestId: "req", priority: "interactive", receivedAt: 0 } as const;
  const directives = parseCacheControl(undefined);
  await expect(
    stack.gateway.services.conversations.ask({ ...asking, directives, principal }, "Keep this not."),
  ).rejects.toMatchObject({ kind: "insufficient_role" });
  for (const [path, body] of [
    ["/v1/conversations", { title: "Secret" }],
    ["/v1/conversations/import", exampleFile([QUESTION])],
  ] as const) {
    const response = await stack.call("POST", path, { key, body });
    expect([path, response.status]).toEqual([path, 403]);
    expect((await json(response)).error.message).toContain("Content logging is off");
  }
  expect((await json(await stack.call("GET", "/v1/conversations", { key }))).data).toEqual([]);
});

test("a running answer can be followed from any other request", async () => {
  const key = await stack.keyOf("member");
  const { conversations, keys } = stack.gateway.services;
  const principal = await keys.verify(`Bearer ${key}`);
  const asking = { requestId: "req", priority: "interactive", receivedAt: performance.now() } as const;
  const { conversation, generation } = await conversations.ask(
    { ...asking, directives: parseCacheControl(undefined), principal },
    "Tell me.",
  );
  const path = `/v1/conversations/${conversation.id}/messages/${generation.answer.id}/events`;
  const events = await readEvents(await stack.call("GET", path, { key }));
  expect(events.length).toBeGreaterThan(1);
  expect(events.at(-1)).toMatchObject({ status: "complete", content: generation.state.content });
  expect((await stack.call("GET", path.replace("msg_", "msg_x"), { key })).status).toBe(404);
  expect((await stack.call("GET", path)).status).toBe(404);
});

describe("K5: another key gets the same 404 as for an unknown conversation, even while its answer is running", () => {
  let slow: Stack;
  beforeAll(async () => {
    slow = await startStack({ tokens: 1000, tokenMs: 20 });
  });
  afterAll(() => slow.close());

  const routes = API_ROUTES.filter(({ path }) => path.startsWith("/v1/conversations/:id"));
  const bodies: Record<string, object> = {
    "PATCH /v1/conversations/:id": { title: "Mine" },
    "POST /v1/conversations/:id/messages": { content: "Name three rivers." },
    "POST /v1/conversations/:id/messages/:message_id/tool-results": {
      results: [{ tool_call_id: "call_1", content: "21 °C" }],
    },
  };

  test.each(routes)("$route", async ({ route, method, path }) => {
    const [ada, bob] = [await slow.keyOf("member"), await slow.keyOf("member")];
    const { id } = await json(await slow.call("POST", "/v1/conversations", { key: ada, body: {} }));
    const asked = { key: ada, body: { content: QUESTION[1] } };
    const begun = await json(await slow.call("POST", `/v1/conversations/${id}/messages`, asked));
    const errorOf = async (conversationId: string) => {
      const url = path.replace(":id", conversationId).replace(":message_id", begun.answer_id);
      const response = await slow.call(method, url, { key: bob, body: bodies[route] });
      const { request_id: _, ...error } = (await json(response)).error;
      return { status: response.status, error };
    };
    const refused = await errorOf(id);
    expect(refused).toMatchObject({ status: 404, error: { code: "not_found" } });
    expect(refused).toEqual(await errorOf("chat_unknown"));
    expect((await json(await slow.call("POST", `/v1/conversations/${id}/stop`, { key: ada }))).stopped).toBe(true);
  });
});
