import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readEvents } from "../harness";
import { RagClient } from "../rag-client";
import { until } from "../until";
import { changeKey, createSide, type Side, shows } from "./rag-sides";
import { type Stack, startStack } from "./stack";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

let stack: Stack;
let side: Side;
beforeAll(async () => {
  stack = await startStack({ tokens: 4, tokenMs: 0 });
  await until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);
  side = await createSide(stack, "crimson", "name");
});
afterAll(() => stack.close());

const QUESTION = "What is the code of the ferry?";

/** The conversations of a side's key. */
const chats = ({ client }: Side) => {
  const send = async (method: string, path: string, body?: object): Promise<{ status: number; body: Json }> => {
    const response = await stack.call(method, `/v1/conversations${path}`, { key: client.key, body });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  /** Waits for an answer that has begun. */
  const ended = async ({ status, body }: { status: number; body: Json }): Promise<Json[]> => {
    expect(status).toBe(201);
    const path = `/v1/conversations/${body.conversation_id}/messages/${body.answer_id}/events`;
    return (await readEvents(await stack.call("GET", path, { key: client.key }))) as Json[];
  };
  return {
    send,
    ended,
    begin: async (fields: object): Promise<string> => (await send("POST", "", fields)).body.id,
    ask: (id: string, content = QUESTION, more = {}) => send("POST", `/${id}/messages`, { content, ...more }),
    last: async (id: string): Promise<Json> => (await send("GET", `/${id}`)).body.messages.at(-1),
  };
};
const refusalOf = ({ status, body }: { status: number; body: Json }) => [status, body.error?.code, body.error?.param];
const NOT_FOUND = [404, "not_found", "index"];

test("a conversation answers from its index, and the answer is stored with its chunks, index and revision", async () => {
  const { begin, ask, ended, last, send } = chats(side);
  const id = await begin({ index: side.name, retrieval: { top_k: 3 } });
  expect((await send("GET", `/${id}`)).body).toMatchObject({ index: side.index, retrieval: { top_k: 3 } });
  const states = await ended(await ask(id));
  const { detail, content, status } = states.at(-1);
  expect([status, content !== ""]).toEqual(["complete", true]);
  const { evidence } = detail;
  expect(evidence).toMatchObject({
    status: "answered",
    index: { id: side.index, name: side.name, version: 1 },
    gone: [],
  });
  expect(evidence.index.revision).toBe((await side.client.read(`/${side.index}`)).revision);
  expect(evidence.chunks).toHaveLength(3);
  expect(evidence.chunks[0].document_id).toBe(side.documents.get("ferry.md"));
  expect((await last(id)).detail).toEqual(detail);
});

test("regenerated and edited answers come from the index, and every version keeps its evidence", async () => {
  const { begin, ask, ended, last, send } = chats(side);
  const id = await begin({ index: side.index });
  const first = await ask(id);
  await ended(first);
  await ended(await send("POST", `/${id}/messages/${first.body.answer_id}/regenerate`));
  await ended(await ask(id, "When does the museum open?", { replaces: first.body.question_id }));
  expect((await last(id)).detail.evidence.chunks[0].document_id).toBe(side.documents.get("museum.md"));
  await send("POST", `/${id}/messages/${first.body.answer_id}/select`);
  expect((await last(id)).detail.evidence.chunks[0].document_id).toBe(side.documents.get("ferry.md"));

  const exported = (await send("GET", `/${id}/export`)).body;
  const [conversation] = exported.conversations;
  expect([conversation.index, conversation.messages.length]).toEqual([side.index, 5]);
  expect(conversation.messages.filter(({ detail }: Json) => detail?.evidence.status === "answered")).toHaveLength(3);
  await send("DELETE", `/${id}`);
  expect((await send("POST", "/import", exported)).body).toMatchObject({ imported: 1 });
  const [{ id: imported }] = (await send("GET", "?limit=1")).body.data;
  const again = (await send("GET", `/${imported}/export`)).body.conversations[0];
  const details = ({ messages }: Json) => messages.map(({ detail }: Json) => detail);
  expect([again.index, details(again)]).toEqual([conversation.index, details(conversation)]);
});

test("a follow-up question is searched for together with the question before it", async () => {
  const { begin, ask, ended, last } = chats(side);
  const id = await begin({ index: side.index, retrieval: { mode: "keyword" } });
  await ended(await ask(id, "Tell me about the theatre"));
  await ended(await ask(id, "And its code?"));
  expect((await last(id)).detail.evidence.chunks[0].document_id).toBe(side.documents.get("theatre.md"));
});

test("PATCH changes the index and the settings; the next answer uses them", async () => {
  const { begin, ask, ended, last, send } = chats(side);
  const id = await begin({ title: "No documents" });
  await ended(await ask(id));
  expect((await last(id)).detail.evidence).toBeUndefined();
  const changed = await send("PATCH", `/${id}`, { index: side.name, retrieval: { top_k: 1 } });
  expect(changed.body).toMatchObject({ title: "No documents", index: side.index, retrieval: { top_k: 1 } });
  await ended(await ask(id));
  expect((await last(id)).detail.evidence.chunks).toHaveLength(1);
  expect((await send("PATCH", `/${id}`, { index: null, retrieval: null })).body).toMatchObject({
    index: null,
    retrieval: null,
  });
  await ended(await ask(id));
  expect((await last(id)).detail.evidence).toBeUndefined();
  expect(refusalOf(await send("PATCH", `/${id}`, {}))[0]).toBe(400);
});

test("without a relevant passage, the answer is the fallback text and the model is not called", async () => {
  const { begin, ask, ended, last } = chats(side);
  const retrieval = { threshold: { score: "vector", value: 1 }, fallback_text: "Not in the documents." };
  const id = await begin({ index: side.index, retrieval });
  await ended(await ask(id));
  expect(await last(id)).toMatchObject({
    content: "Not in the documents.",
    status: "complete",
    detail: { evidence: { status: "no_relevant_context", citations: [], threshold: { passed: false } } },
  });
});

describe("an index that the key may not use", () => {
  test("can be neither chosen nor distinguished from one that doesn't exist", async () => {
    const other = await createSide(stack, "azure", "id");
    const { begin, send } = chats(side);
    const id = await begin({});
    for (const index of [other.index, other.name, "idx_missing"]) {
      expect(refusalOf(await send("POST", "", { index }))).toEqual(NOT_FOUND);
      expect(refusalOf(await send("PATCH", `/${id}`, { index }))).toEqual(NOT_FOUND);
    }
  });

  test("is not searched by an imported conversation, and its passages in the file stay hidden", async () => {
    const other = await createSide(stack, "azure", "id");
    const theirs = chats(other);
    const id = await theirs.begin({ index: other.index });
    await theirs.ended(await theirs.ask(id));
    const exported = (await theirs.send("GET", `/${id}/export`)).body;
    const mine = chats(side);
    await mine.send("POST", "/import", exported);
    const [{ id: imported }] = (await mine.send("GET", "?limit=1")).body.data;
    const message = await mine.last(imported);
    expect([message.content !== "", message.detail.evidence.chunks]).toEqual([true, []]);
    expect(shows(message.detail.evidence.citations, other)).toBe(false);
    expect(refusalOf(await mine.ask(imported))).toEqual(NOT_FOUND);
  });

  test("hides its passages in old answers and exports, until access is restored", async () => {
    const lost = await createSide(stack, "amber", "id");
    const { begin, ask, ended, last, send } = chats(lost);
    const id = await begin({ index: lost.index });
    const asked = await ask(id);
    await ended(asked);
    const before = await last(id);
    await changeKey(stack, lost.keyId, ["another"]);
    const after = await last(id);
    expect([after.content, after.detail.evidence.chunks]).toEqual([before.content, []]);
    expect(after.detail.evidence.gone).toContain(lost.documents.get("ferry.md"));
    expect(JSON.stringify((await send("GET", `/${id}/export`)).body)).not.toContain("amber");
    expect(JSON.stringify(await ended(asked))).not.toContain("amber");
    expect(refusalOf(await ask(id))).toEqual(NOT_FOUND);
    expect(refusalOf(await send("POST", `/${id}/messages/${asked.body.answer_id}/regenerate`))).toEqual(NOT_FOUND);
    await changeKey(stack, lost.keyId, [lost.index]);
    expect((await last(id)).detail).toEqual(before.detail);
  });
});

test("after a document or the index is deleted, old answers stay readable and list what is gone", async () => {
  const own = await createSide(stack, "violet", "name");
  const { begin, ask, ended, last, send } = chats(own);
  const id = await begin({ index: own.index });
  await ended(await ask(id));
  const { content, detail } = await last(id);
  const ferry = own.documents.get("ferry.md") ?? "";
  await own.client.delete(`/${own.index}/documents/${ferry}`);
  const { evidence } = (await last(id)).detail;
  expect([evidence.gone, evidence.chunks.length]).toEqual([[ferry], detail.evidence.chunks.length - 1]);

  await new RagClient(stack.url, stack.adminKey).delete(`/${own.index}`);
  const message = await last(id);
  expect([message.content, message.detail.evidence.chunks]).toEqual([content, []]);
  expect(message.detail.evidence.index).toMatchObject({ id: own.index, name: own.name });
  expect(refusalOf(await ask(id))).toEqual(NOT_FOUND);
  expect((await send("PATCH", `/${id}`, { title: "Still here" })).status).toBe(200);
  await send("PATCH", `/${id}`, { index: null });
  expect((await ask(id)).status).toBe(201);
});
