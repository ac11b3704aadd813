import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { startConversations } from "../../tests/fixtures/conversations";
import type { AnswerState } from "./generation";

type Setup = Awaited<ReturnType<typeof startConversations>>;
let { clock, speaker, ada, bob, conversations, build, asking, exchange, close } = {} as Setup;
beforeEach(async () => {
  ({ clock, speaker, ada, bob, conversations, build, asking, exchange, close } = await startConversations());
});
afterEach(() => close());

const lastMessage = async (id: string) => (await conversations.get(ada, id)).messages.at(-1);

/** Follows an answer until `condition` is true and returns that state. */
const followUntil = async (states: AsyncIterable<AnswerState>, condition: (state: AnswerState) => boolean) => {
  for await (const state of states) if (condition(state)) return state;
  throw new Error("The answer ended first.");
};

describe("an answer", () => {
  test("is requested with a maximum length and the sampling recommended in the model's catalogue entry", async () => {
    const { generation } = await conversations.ask(asking(), "Hello");
    speaker.push("Hi");
    speaker.push(null);
    await generation.done;
    expect(Object.keys(speaker.bodies[0] ?? {}).sort()).toEqual(["max_tokens", "messages", "model"]);
  });

  test("is stored completely, with its details", async () => {
    const { conversation, generation } = await conversations.ask(asking(), "Hello\nthere");
    expect(conversation.title).toBe("Hello");
    speaker.push("Hi ");
    speaker.push("Ada");
    speaker.push(null);
    await generation.done;
    expect(await lastMessage(conversation.id)).toMatchObject({
      content: "Hi Ada",
      status: "complete",
      detail: { node: "node-1", usage: { completion_tokens: 2 }, request_id: "req_1" },
    });
  });

  test("is requested with the messages before it, without empty answers", async () => {
    const { conversation, generation } = await conversations.ask(asking(), "One");
    speaker.push(new AppError("overloaded", "Full"));
    await generation.done;
    const second = await conversations.ask(asking(), "Two", { conversationId: conversation.id });
    speaker.push("2");
    speaker.push(null);
    await second.generation.done;
    expect(speaker.bodies.at(-1)?.messages).toEqual([
      { role: "user", content: "One" },
      { role: "user", content: "Two" },
    ]);
  });

  test("that is stopped keeps its text and its counts", async () => {
    const { conversation, generation } = await conversations.ask(asking(), "Hello");
    speaker.push("Partly");
    await followUntil(generation.follow(AbortSignal.timeout(5000), 1), ({ content }) => content === "Partly");
    expect(await conversations.stop(ada, conversation.id)).toBe(true);
    expect(await lastMessage(conversation.id)).toMatchObject({
      content: "Partly",
      status: "stopped",
      detail: { so_far: { tokens: 1 } },
    });
    expect(await conversations.stop(ada, conversation.id)).toBe(false);
  });

  test("that fails keeps its text and the cause", async () => {
    const { conversation, generation } = await conversations.ask(asking(), "Hello");
    speaker.push("Partly");
    speaker.push(new AppError("upstream_error", "The node is gone."));
    await generation.done;
    const message = await lastMessage(conversation.id);
    expect(message).toMatchObject({ content: "Partly", status: "failed" });
    expect(message?.detail?.error).toMatchObject({ code: "upstream_error", message: "The node is gone." });
  });

  test("is interrupted when the process ends", async () => {
    const { conversation } = await conversations.ask(asking(), "Hello");
    await conversations.close();
    expect(await lastMessage(conversation.id)).toMatchObject({ status: "interrupted" });
  });

  test("becomes interrupted if its process died", async () => {
    const { conversation } = await conversations.ask(asking(), "Hello");
    const dead = conversations;
    conversations = build();
    expect(await lastMessage(conversation.id)).toMatchObject({ status: "generating" });
    clock.now = new Date(clock.now.getTime() + 60_000);
    expect(await lastMessage(conversation.id)).toMatchObject({ status: "interrupted" });
    await dead.close();
  });

  test("continues without readers for a limited time, then stops", async () => {
    conversations = build(30);
    const { conversation, generation } = await conversations.ask(asking(), "Hello");
    const reader = new AbortController();
    speaker.push("Read");
    await followUntil(generation.follow(reader.signal, 1), ({ content }) => content === "Read");
    await generation.done;
    expect(await lastMessage(conversation.id)).toMatchObject({ content: "Read", status: "stopped" });
  });

  test("reaches every reader from beginning to end", async () => {
    const { conversation, generation } = await conversations.ask(asking(), "Hello");
    const { id } = generation.answer;
    const { signal } = new AbortController();
    const readers = [1, 2].map(async () => {
      const states: AnswerState[] = [];
      for await (const state of conversations.follow(ada, conversation.id, id, signal, 1)) states.push(state);
      return states.at(-1);
    });
    speaker.push("For ");
    speaker.push("all");
    speaker.push(null);
    for (const last of await Promise.all(readers))
      expect(last).toMatchObject({ content: "For all", status: "complete" });
    const { value } = await conversations.follow(ada, conversation.id, id, signal, 1).next();
    expect(value).toMatchObject({ content: "For all", status: "complete" });
  });
});

describe("limits", () => {
  test("allow one answer at a time per conversation, and the key's limit in total", async () => {
    const { conversation } = await conversations.ask(asking(), "One");
    await expect(conversations.ask(asking(), "Two", { conversationId: conversation.id })).rejects.toMatchObject({
      kind: "conflict",
    });
    await conversations.ask(asking(), "Two");
    await expect(conversations.ask(asking(), "Three")).rejects.toMatchObject({ kind: "rate_limited" });
    await conversations.ask(asking(bob), "One");
  });

  test("also apply to parallel callers", async () => {
    const { id } = await conversations.create(ada);
    const within = await Promise.allSettled(
      [1, 2, 3].map(() => conversations.ask(asking(), "Hello", { conversationId: id })),
    );
    expect(within.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const among = await Promise.allSettled([1, 2, 3].map(() => conversations.ask(asking(), "Hello")));
    expect(among.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("a conversation of another key is not found", async () => {
    const { id } = await conversations.create(ada, { title: "Mine" });
    const missing = { kind: "not_found" };
    await expect(conversations.get(bob, id)).rejects.toMatchObject(missing);
    await expect(conversations.update(bob, id, { title: "Yours" })).rejects.toMatchObject(missing);
    await expect(conversations.remove(bob, id)).rejects.toMatchObject(missing);
    await expect(conversations.stop(bob, id)).rejects.toMatchObject(missing);
    await expect(conversations.ask(asking(bob), "Hello", { conversationId: id })).rejects.toMatchObject(missing);
    expect((await conversations.list(bob)).data).toEqual([]);
  });
});

test("conversations are listed most recently changed first, in pages, and can be searched", async () => {
  for (const title of ["Batching", "Caching", "Batches"]) {
    clock.now = new Date(clock.now.getTime() + 1000);
    await conversations.create(ada, { title });
  }
  const first = await conversations.list(ada, { limit: 2 });
  expect(first.data.map(({ title }) => title)).toEqual(["Batches", "Caching"]);
  const second = await conversations.list(ada, { limit: 2, after: first.next_cursor ?? "" });
  expect(second.data.map(({ title }) => title)).toEqual(["Batching"]);
  expect(second.has_more).toBe(false);
  expect((await conversations.list(ada, { search: "Batch%" })).data).toEqual([]);
  const { conversation } = await exchange("Hello", "Rivers run into the sea.");
  const found = await conversations.list(ada, { search: "rivers run" });
  expect(found.data.map(({ id }) => id)).toEqual([conversation.id]);
  expect((await conversations.list(bob, { search: "rivers run" })).data).toEqual([]);
  await expect(conversations.list(ada, { after: "nonsense" })).rejects.toMatchObject({ kind: "invalid_request" });
});

test("deleting a conversation stops its running answer", async () => {
  const { conversation } = await conversations.ask(asking(), "Hello");
  await conversations.update(ada, conversation.id, { title: "Renamed" });
  expect((await conversations.list(ada)).data[0]?.title).toBe("Renamed");
  await conversations.remove(ada, conversation.id);
  await expect(conversations.get(ada, conversation.id)).rejects.toMatchObject({ kind: "not_found" });
  await conversations.ask(asking(), "Free again");
});
