import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { appendMessages } from "../../db/conversations";
import { AppError } from "../../lib/errors";
import { startConversations, tokensOf } from "../../tests/fixtures/conversations";
import type { Call } from "../call";

type Setup = Awaited<ReturnType<typeof startConversations>>;
let { db, clock, speaker, ada, bob, conversations, build, asking, exchange, again, shown, read, close } = {} as Setup;
beforeEach(async () => {
  ({ db, clock, speaker, ada, bob, conversations, build, asking, exchange, again, shown, read, close } =
    await startConversations());
});
afterEach(() => close());

const lastMessage = async (id: string) => (await conversations.get(ada, id)).messages.at(-1);

describe("versions of a message", () => {
  test("are kept when an answer is regenerated, and either can be shown", async () => {
    const { conversation } = await exchange("Hello", "Old");
    const { id } = conversation;
    await again(id, "New");
    expect([await shown(id), read()]).toEqual([["Hello", "New"], ["Hello"]]);
    const [, answer] = (await conversations.get(ada, id)).messages;
    expect(answer?.versions).toHaveLength(2);
    const [old = ""] = answer?.versions ?? [];
    await conversations.select(ada, id, old);
    expect(await shown(id)).toEqual(["Hello", "Old"]);
    expect((await build().get(ada, id)).messages.map(({ content }) => content)).toEqual(["Hello", "Old"]);
    await exchange("Next", "Yes", { conversationId: id });
    expect(read()).toEqual(["Hello", "Old", "Next"]);
  });

  test("don't come from the cache", async () => {
    const calls: Call[] = [];
    const events = speaker.events.bind(speaker);
    speaker.events = (call, body) => {
      calls.push(call);
      return events(call, body);
    };
    const { conversation } = await exchange("Hello", "Old");
    await conversations.regenerate(asking(), conversation.id);
    expect(calls.map(({ directives }) => directives.noCache)).toEqual([false, true]);
  });

  test("are branches: an edited question starts its own, and selecting the earlier question shows its answers again", async () => {
    const { conversation, question } = await exchange("One", "1");
    const { id } = conversation;
    await exchange("Two", "2", { conversationId: id });
    await exchange("Un", "I", { conversationId: id, replaces: question.id });
    expect([await shown(id), read()]).toEqual([["Un", "I"], ["Un"]]);
    const [first] = (await conversations.get(ada, id)).messages;
    expect(first).toMatchObject({ parent_id: null, versions: [question.id, first?.id] });
    await conversations.select(ada, id, question.id);
    expect(await shown(id)).toEqual(["One", "1", "Two", "2"]);
  });

  test("share the messages before them, if a question in the middle is edited", async () => {
    const { conversation } = await exchange("One", "1");
    const { id } = conversation;
    const { question } = await exchange("Two", "2", { conversationId: id });
    await exchange("Deux", "II", { conversationId: id, replaces: question.id });
    expect([await shown(id), read()]).toEqual([
      ["One", "1", "Deux", "II"],
      ["One", "1", "Deux"],
    ]);
  });

  test("can't be chosen, edited or deleted while an answer is being written", async () => {
    const { conversation, question } = await exchange("One", "1");
    const { id } = conversation;
    await conversations.ask(asking(), "Two", { conversationId: id });
    const conflict = { kind: "conflict" };
    await expect(conversations.select(ada, id, question.id)).rejects.toMatchObject(conflict);
    await expect(conversations.removeTurn(ada, id, question.id)).rejects.toMatchObject(conflict);
    await expect(conversations.regenerate(asking(), id)).rejects.toMatchObject(conflict);
    const edit = conversations.ask(asking(), "Un", { conversationId: id, replaces: question.id });
    await expect(edit).rejects.toMatchObject(conflict);
  });

  test("from another conversation, or with another role, are not found", async () => {
    const { conversation, question, generation } = await exchange("One", "1");
    const other = await exchange("Other", "2");
    const missing = { kind: "not_found" };
    const { id } = conversation;
    await expect(conversations.select(ada, id, other.question.id)).rejects.toMatchObject(missing);
    await expect(conversations.removeTurn(ada, id, generation.answer.id)).rejects.toMatchObject(missing);
    await expect(conversations.regenerate(asking(), id, question.id)).rejects.toMatchObject(missing);
    await expect(conversations.removeTurn(bob, id, question.id)).rejects.toMatchObject(missing);
    const edit = conversations.ask(asking(), "x", { conversationId: id, replaces: generation.answer.id });
    await expect(edit).rejects.toMatchObject(missing);
  });
});

describe("a deleted turn", () => {
  test("is deleted with all of its answers, and later messages are kept", async () => {
    const { conversation } = await exchange("One", "1");
    const { id } = conversation;
    const { question } = await exchange("Two", "2", { conversationId: id });
    await again(id, "II");
    await exchange("Three", "3", { conversationId: id });
    await conversations.removeTurn(ada, id, question.id);
    expect(await shown(id)).toEqual(["One", "1", "Three", "3"]);
    expect((await conversations.get(ada, id)).message_count).toBe(4);
    await exchange("Four", "4", { conversationId: id });
    expect(read()).toEqual(["One", "1", "Three", "3", "Four"]);
  });

  test("at the end leaves the messages before it", async () => {
    const { conversation, question } = await exchange("One", "1");
    const { id } = conversation;
    const second = await exchange("Two", "2", { conversationId: id });
    await conversations.removeTurn(ada, id, second.question.id);
    expect(await shown(id)).toEqual(["One", "1"]);
    await conversations.removeTurn(ada, id, question.id);
    expect(await shown(id)).toEqual([]);
    await exchange("Anew", "!", { conversationId: id });
    expect(await shown(id)).toEqual(["Anew", "!"]);
  });

  test("leaves the other versions of its question", async () => {
    const { conversation, question } = await exchange("One", "1");
    const { id } = conversation;
    const edited = await exchange("Un", "I", { conversationId: id, replaces: question.id });
    await conversations.removeTurn(ada, id, edited.question.id);
    expect(await shown(id)).toEqual(["One", "1"]);
  });
});

describe("a conversation longer than the context window", () => {
  /** Eight turns of 200 characters in a window of 1,000 tokens: the oldest ones don't fit. */
  const long = async () => {
    speaker.contextWindow = 1000;
    const { conversation } = await exchange("Q0".padEnd(100, "."), "A".repeat(100));
    for (let turn = 1; turn < 8; turn++) {
      await exchange(`Q${turn}`.padEnd(100, "."), "A".repeat(100), { conversationId: conversation.id });
    }
    return conversation.id;
  };

  test("continues without its oldest turns, and names the first message that the model read", async () => {
    const id = await long();
    const prompts = speaker.bodies.map(({ messages }) => tokensOf(messages));
    expect(Math.max(...prompts)).toBeLessThan(1000);
    expect(speaker.bodies.every(({ messages }) => messages[0]?.role === "user")).toBe(true);
    expect(read()?.at(-1)).toStartWith("Q7");
    const { messages, context } = await conversations.get(ada, id);
    expect(messages).toHaveLength(16);
    expect(context.left_out).toBeGreaterThan(0);
    expect(messages[context.left_out]?.id).toBe(context.first_message_id ?? "");
    expect(messages[context.left_out]?.content).toBe(read()?.[0] as string);
    expect(context).toMatchObject({ window: 1000, used_tokens: tokensOf(speaker.bodies.at(-1)?.messages ?? []) + 2 });
    expect(messages.at(-1)?.detail?.context).toMatchObject({ left_out: context.left_out });
  });

  test("moves the start of its prompt in steps, so that the node's KV cache stays valid between them", async () => {
    await long();
    const beginnings = speaker.bodies.map(({ messages }) => messages[0]?.content);
    const moves = beginnings.filter((text, index) => index > 0 && text !== beginnings[index - 1]).length;
    expect(moves).toBeGreaterThan(0);
    expect(moves).toBeLessThan(4);
  });

  test("does not count a prompt that certainly fits", async () => {
    const { conversation } = await exchange("Hello", "Hi");
    await exchange("Again", "Hi", { conversationId: conversation.id });
    expect(speaker.counted).toBe(0);
  });

  test("keeps its system prompt", async () => {
    speaker.contextWindow = 1000;
    const { id } = await conversations.create(ada);
    await db.write((tx) =>
      appendMessages(
        tx,
        id,
        [
          { id: "msg_s", parentId: null, role: "system", content: "Be brief.", status: "complete", detail: null },
          { id: "msg_q", parentId: "msg_s", role: "user", content: "x".repeat(500), status: "complete", detail: null },
          {
            id: "msg_a",
            parentId: "msg_q",
            role: "assistant",
            content: "y".repeat(400),
            status: "complete",
            detail: null,
          },
        ],
        clock.now,
      ),
    );
    await exchange("Next", "Yes", { conversationId: id });
    expect(read()).toEqual(["Be brief.", "Next"]);
  });

  test("rejects a question longer than the window, and stores nothing", async () => {
    speaker.contextWindow = 1000;
    const long = conversations.ask(asking(), "x".repeat(1000));
    await expect(long).rejects.toMatchObject({
      kind: "context_length_exceeded",
      message: "This message exceeds the context window of small (1000 tokens). Shorten it, or send it in parts.",
    });
    expect((await conversations.list(ada)).data).toEqual([]);
    const { conversation } = await exchange("Hello", "Hi");
    const second = conversations.ask(asking(), "x".repeat(1000), { conversationId: conversation.id });
    await expect(second).rejects.toMatchObject({ kind: "context_length_exceeded" });
    expect(await shown(conversation.id)).toEqual(["Hello", "Hi"]);
  });

  test("is retried with fewer turns if the engine rejects the prompt", async () => {
    const { conversation } = await exchange("One", "1");
    const place = { conversationId: conversation.id };
    await exchange("Two", "2", place);
    const { generation } = await conversations.ask(asking(), "Three", place);
    speaker.push(new AppError("context_length_exceeded", "Too long."));
    speaker.push("3");
    speaker.push(null);
    await generation.done;
    expect(read()).toEqual(["Three"]);
    expect(await lastMessage(conversation.id)).toMatchObject({
      content: "3",
      status: "complete",
      detail: { context: { left_out: 4 } },
    });
  });

  test.each([
    ["context_window", 1000, 995],
    ["max_tokens", 4096, 1024],
  ])("a truncated answer names the limit: %s", async (limit, window, tokens) => {
    speaker.contextWindow = window;
    speaker.ending = { finish_reason: "length", completion_tokens: tokens };
    const { conversation } = await exchange("Hello", "Hi");
    expect((await lastMessage(conversation.id))?.detail?.length_limit).toBe(limit as "max_tokens");
  });
});
