import { afterAll, beforeAll, expect, test } from "bun:test";
import { parseCacheControl } from "../../gateway/cache/directives";
import { readEvents } from "../harness";
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

test("what was exported is imported once, goes on where it ended, and is never another key's", async () => {
  const [ada, bob] = [await stack.keyOf("member"), await stack.keyOf("member")];
  const exported = async (key: string) => json(await stack.call("GET", "/v1/conversations/export", { key }));

  expect(await importAs(ada, exampleFile([QUESTION]))).toEqual({ imported: 1, extended: 0, skipped: 0 });
  expect(await importAs(ada, exampleFile([QUESTION]))).toEqual({ imported: 0, extended: 0, skipped: 1 });
  expect(await importAs(ada, exampleFile([QUESTION, ANSWER]))).toEqual({ imported: 0, extended: 1, skipped: 0 });
  expect(await importAs(ada, exampleFile([["user", "Another."], ANSWER, QUESTION]))).toMatchObject({ skipped: 1 });

  const whole = await exported(ada);
  expect(whole.conversations).toMatchObject([{ title: "Three colours", messages: [{ content: QUESTION[1] }, {}] }]);
  expect(whole.conversations[0].messages[0].created_at).toBe("2026-11-23T20:15:30.000Z");
  // The same id under another key is a conversation of its own, once.
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

test("a long conversation fits into one import", async () => {
  const key = await stack.keyOf("member");
  const messages = Array.from({ length: 5000 }, (_, i): [string, string] => ["user", `${i}`]);
  expect(await importAs(key, exampleFile(messages))).toMatchObject({ imported: 1 });
});

test("a key without content logging stores no conversation and is told so", async () => {
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

test("an answer that is being written can be resumed from anywhere", async () => {
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
