import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import type { ResponseObject } from "../../gateway/responses/contract";
import type { ScriptedServer } from "../scripted-server";
import { MODEL, startCapableStack } from "./capable-stack";
import { errorOf } from "./error-of";
import type { Stack } from "./stack";

/* Stored responses are continued, read, listed and deleted by the key that created them. */

let capable: Awaited<ReturnType<typeof startCapableStack>>;
let stack: Stack;
let server: ScriptedServer;
let owner: string;
let stranger: string;
let client: OpenAI;
beforeAll(async () => {
  capable = await startCapableStack();
  ({ stack, server } = capable);
  [owner, stranger] = [await stack.keyOf("member"), await stack.keyOf("admin")];
  client = new OpenAI({ baseURL: `${stack.url}/v1`, apiKey: owner, maxRetries: 0 });
});
afterAll(() => capable.close());

const create = async (body: object, key = owner): Promise<ResponseObject> => {
  const response = await stack.call("POST", "/v1/responses", { key, body: { model: MODEL, ...body } });
  expect(response.status).toBe(200);
  return (await response.json()) as ResponseObject;
};
const textOf = ({ output }: ResponseObject) => JSON.stringify(output.map((item) => "content" in item && item.content));

describe("previous_response_id", () => {
  test("continues a conversation, without the earlier instructions", async () => {
    server.answer = ({ messages }) => [{ content: `${(messages as object[]).length}`, finish_reason: "stop" }];
    const first = await create({ input: "One", instructions: "Be brief." });
    const second = await create({ input: "Two", previous_response_id: first.id });
    const third = await create({ input: "Three", previous_response_id: second.id, instructions: "Be kind." });
    expect(third.previous_response_id).toBe(second.id);
    expect(server.last.messages).toEqual([
      { role: "system", content: "Be kind." },
      ...[
        { role: "user", content: "One" },
        { role: "assistant", content: "2" },
      ],
      ...[
        { role: "user", content: "Two" },
        { role: "assistant", content: "3" },
      ],
      { role: "user", content: "Three" },
    ]);
    const branch = await create({ input: "Other", previous_response_id: first.id });
    expect([(server.last.messages as object[]).length, textOf(branch)]).toEqual([3, expect.stringContaining('"3"')]);
  });

  test("with another key's, an unknown or an unstored response is a 404 that names it", async () => {
    const { id } = await create({ input: "Hi" });
    const { id: unstored, store } = await create({ input: "Hi", store: false });
    expect(store).toBe(false);
    for (const [key, previous] of [
      [stranger, id],
      [owner, "resp_unknown"],
      [owner, unstored],
    ] as const) {
      const body = { input: "Go on", previous_response_id: previous };
      const response = await stack.call("POST", "/v1/responses", { key, body });
      expect([response.status, (await errorOf(response)).param]).toEqual([404, "previous_response_id"]);
    }
  });
});

test("an item reference is replaced with the stored item", async () => {
  server.answer = () => [{ content: "Blue", finish_reason: "stop" }];
  const first = await create({ input: "A colour?" });
  const input = [
    { role: "user", content: "A colour?" },
    { type: "item_reference", id: first.output[0]?.id },
    { role: "user", content: "Another?" },
  ];
  await create({ input });
  expect(server.last.messages).toEqual([
    { role: "user", content: "A colour?" },
    { role: "assistant", content: "Blue" },
    { role: "user", content: "Another?" },
  ]);
  const foreign = await stack.call("POST", "/v1/responses", { key: stranger, body: { model: MODEL, input } });
  expect([foreign.status, (await errorOf(foreign)).param]).toEqual([404, "input.1.id"]);
});

describe("a stored response", () => {
  test("is read, listed and deleted with OpenAI's client", async () => {
    server.answer = () => [{ reasoning: "Hm.", content: "Hello", finish_reason: "stop" }];
    const made = await client.responses.create({ model: MODEL, input: "Hi", metadata: { team: "a" } });
    const read = await client.responses.retrieve(made.id);
    expect({ ...read, output_text: undefined }).toEqual({ ...made, output_text: undefined });
    const items = await Array.fromAsync(await client.responses.inputItems.list(made.id));
    expect(items).toMatchObject([{ type: "message", role: "user", content: [{ type: "input_text", text: "Hi" }] }]);
    await client.responses.delete(made.id);
    const gone = await client.responses.retrieve(made.id).catch((error: unknown) => error);
    expect(gone).toBeInstanceOf(OpenAI.NotFoundError);
  });

  test("of a stream equals the response in the stream's last event", async () => {
    const last = await client.responses.stream({ model: MODEL, input: "Hi" }).finalResponse();
    const read = await client.responses.retrieve(last.id);
    expect(read.output as unknown[]).toMatchObject(last.output.map(({ id }) => ({ id })));
    expect(read.status).toBe("completed");
  });

  test("K5: is a 404 for every other key, even an admin's, on every route", async () => {
    const { id } = await create({ input: "Hi" });
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/cancel"],
      ["GET", "/input_items"],
    ] as const) {
      const response = await stack.call(method, `/v1/responses/${id}${path}`, { key: stranger });
      expect([method, path, response.status]).toEqual([method, path, 404]);
    }
    expect((await stack.call("GET", `/v1/responses/${id}`, { key: owner })).status).toBe(200);
  });

  test("lists its input items page by page, the last one first", async () => {
    const input = ["a", "b", "c"].map((content) => ({ role: "user", content }));
    const { id } = await create({ input });
    const page = async (query: string) => {
      const response = await stack.call("GET", `/v1/responses/${id}/input_items?${query}`, { key: owner });
      return (await response.json()) as { data: { content: { text: string }[] }[]; has_more: boolean; last_id: string };
    };
    const texts = ({ data }: Awaited<ReturnType<typeof page>>) => data.map(({ content }) => content[0]?.text);
    const first = await page("limit=2");
    const rest = await page(`limit=2&after=${first.last_id}`);
    expect([texts(first), first.has_more, texts(rest), rest.has_more]).toEqual([["c", "b"], true, ["a"], false]);
    expect(texts(await page("order=asc"))).toEqual(["a", "b", "c"]);
    const strange = await stack.call("GET", `/v1/responses/${id}/input_items?after=x`, { key: owner });
    expect([strange.status, (await errorOf(strange)).param]).toEqual([400, "after"]);
  });

  test("can't be cancelled once it has ended", async () => {
    const { id } = await create({ input: "Hi" });
    expect((await stack.call("POST", `/v1/responses/${id}/cancel`, { key: owner })).status).toBe(409);
  });
});

describe("compaction", () => {
  test("replaces a conversation with the model's summary", async () => {
    server.answer = () => [{ content: "They chose blue.", finish_reason: "stop" }];
    const first = await create({ input: "Blue or red?" });
    const compacted = await client.responses.compact({
      ...{ model: MODEL, previous_response_id: first.id, input: "Blue.", instructions: "Keep colours." },
    });
    expect((server.last.messages as { content: string }[]).map(({ content }) => content)).toEqual([
      ...["Blue or red?", "They chose blue.", "Blue.", expect.stringContaining("Keep colours.")],
    ]);
    expect(compacted).toMatchObject({
      ...{ object: "response.compaction", output: [{ type: "compaction" }], usage: { input_tokens: 7 } },
    });
    await create({
      input: [...(compacted.output as object[]), { role: "user", content: "Why?" }],
      instructions: "Be brief.",
    });
    expect(server.last.messages).toEqual([
      { role: "system", content: "Be brief.\n\nSummary of the conversation so far:\n\nThey chose blue." },
      { role: "user", content: "Why?" },
    ]);
  });

  test("can summarise a stored conversation without new input, but needs either", async () => {
    server.answer = () => [{ content: "They chose blue.", finish_reason: "stop" }];
    const first = await create({ input: "Blue or red?" });
    await client.responses.compact({ model: MODEL, previous_response_id: first.id });
    expect((server.last.messages as { content: string }[]).map(({ content }) => content)).toEqual([
      ...["Blue or red?", "They chose blue.", expect.any(String)],
    ]);
    const empty = await stack.call("POST", "/v1/responses/compact", { key: owner, body: { model: MODEL } });
    const { param, message } = await errorOf(empty);
    expect([empty.status, param]).toEqual([400, "input"]);
    expect(message).toBe("Nothing to compact. Set `input`, `previous_response_id` or both.");
  });

  test("of another provider is refused, and so is a summary that was cut off", async () => {
    const input = [{ type: "compaction", encrypted_content: "gAAAAABp" }];
    const foreign = await stack.call("POST", "/v1/responses", { key: owner, body: { model: MODEL, input } });
    expect([foreign.status, (await errorOf(foreign)).param]).toEqual([400, "input.0.encrypted_content"]);
    server.answer = () => [{ content: "They", finish_reason: "length" }];
    const cut = await stack.call("POST", "/v1/responses/compact", { key: owner, body: { model: MODEL, input: "Hi" } });
    expect([cut.status, (await errorOf(cut)).code]).toEqual([400, "context_length_exceeded"]);
  });
});
