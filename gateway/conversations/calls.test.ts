import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { startConversations, tokensOf } from "../../tests/fixtures/conversations";
import type { Tool } from "../chat/tools";

type Setup = Awaited<ReturnType<typeof startConversations>>;
let { speaker, ada, bob, conversations, build, asking, exchange, close } = {} as Setup;
beforeEach(async () => {
  ({ speaker, ada, bob, conversations, build, asking, exchange, close } = await startConversations());
  speaker.hasTools = true;
});
afterEach(() => close());

const weather: Tool = { type: "function", function: { name: "get_weather" } };
const callOf = (id: string, json = '{"city":"Rome"}') => ({
  ...{ id, type: "function" as const },
  function: { name: "get_weather", arguments: json },
});
const question = { role: "user" as const, content: "What is the weather in Rome?" };

/** A conversation whose last answer calls a function once per id, after some reasoning. */
const called = async (...ids: string[]) => {
  const { id } = await conversations.create(ada, { tools: [weather] });
  const { generation } = await conversations.ask(asking(), question.content, { conversationId: id });
  speaker.push({ text: "", reasoning: "I need " });
  speaker.push({ text: "", reasoning: "the weather." });
  for (const [index, call] of ids.entries()) {
    const { name, arguments: json } = callOf(call).function;
    speaker.push({ text: "", tool_calls: [{ index, id: call, type: "function", function: { name, arguments: "" } }] });
    for (const piece of json.match(/.{1,5}/g) ?? [])
      speaker.push({ text: "", tool_calls: [{ index, function: { arguments: piece } }] });
  }
  speaker.push(null);
  await generation.done;
  return { id, answerId: generation.answer.id };
};

/** Returns the same result for each call, and completes the next answer with `text`. */
const answered = async ({ id, answerId }: { id: string; answerId: string }, ids: string[], text: string) => {
  const results = ids.map((call) => ({ tool_call_id: call, content: "21 °C" }));
  const begun = await conversations.returnResults(asking(), id, answerId, { results });
  speaker.push(text);
  speaker.push(null);
  for await (const _ of conversations.follow(ada, id, begun.answer_id, AbortSignal.timeout(5000), 1));
  return begun;
};

const messagesIn = async (id: string) => (await conversations.get(ada, id)).messages;
const prompt = () => speaker.bodies.at(-1)?.messages;

describe("an answer that calls functions", () => {
  test("is stored with its reasoning and its complete calls", async () => {
    const { id } = await called("call_1", "call_2");
    expect(speaker.bodies.at(-1)?.tools).toEqual([weather]);
    const answer = {
      ...{ role: "assistant", content: "", status: "complete", reasoning: "I need the weather." },
      tool_calls: [callOf("call_1"), callOf("call_2")],
      detail: { reasoning_ms: expect.any(Number) },
    };
    expect((await messagesIn(id))[1]).toMatchObject(answer);
    // What another process reads from the database.
    expect((await build().get(ada, id)).messages[1]).toMatchObject(answer);
  });

  test("continues with the results, which the model reads after the calls", async () => {
    const begin = await called("call_1");
    const begun = await answered(begin, ["call_1"], "It is 21 °C.");
    expect(prompt()).toEqual([
      question,
      { role: "assistant", reasoning: "I need the weather.", tool_calls: [callOf("call_1")] },
      { role: "tool", tool_call_id: "call_1", content: "21 °C" },
    ]);
    const messages = await messagesIn(begin.id);
    expect(messages.map(({ role, content }) => [role, content])).toEqual([
      ["user", question.content],
      ["assistant", ""],
      ["tool", "21 °C"],
      ["assistant", "It is 21 °C."],
    ]);
    expect(messages[2]).toMatchObject({ id: begun.question_id, tool_call_id: "call_1", parent_id: begin.answerId });
  });

  test("can be continued if the server sent its calls without ids, or all with the same one", async () => {
    for (const ids of [
      ["", ""],
      ["call_1", "call_1"],
    ]) {
      const begin = await called(...ids);
      const calls = (await messagesIn(begin.id))[1]?.tool_calls ?? [];
      const given = calls.map(({ id }) => id);
      expect([given.length, new Set(given).size, given.includes("")]).toEqual([2, 2, false]);
      await answered(begin, given, "It is 21 °C.");
      expect(prompt()).toMatchObject([{}, { tool_calls: calls }, ...given.map((id) => ({ tool_call_id: id }))]);
    }
  });

  test("is left out of the prompt as long as it has no results", async () => {
    const { id } = await called("call_1");
    await exchange("Never mind.", "All right.", { conversationId: id });
    expect(prompt()).toEqual([question, { role: "user", content: "Never mind." }]);
  });

  test("is left out of the prompt with its results if the model has lost the capability", async () => {
    const begin = await called("call_1");
    await answered(begin, ["call_1"], "It is 21 °C.");
    await conversations.update(ada, begin.id, { tools: null });
    speaker.hasTools = false;
    await exchange("And tomorrow?", "I don't know.", { conversationId: begin.id });
    const earlier = { role: "assistant" as const, content: "It is 21 °C." };
    expect(prompt()).toEqual([question, earlier, { role: "user", content: "And tomorrow?" }]);
    expect(speaker.bodies.at(-1)).not.toHaveProperty("tools");
  });

  test("and its results are kept together when the oldest turns are left out", async () => {
    speaker.contextWindow = 400;
    const begin = await called("call_1");
    speaker.ending = { finish_reason: "stop", completion_tokens: 250 };
    await answered(begin, ["call_1"], "A".repeat(250));
    await exchange("Q".repeat(150), "A", { conversationId: begin.id });
    expect(prompt()).toEqual([{ role: "user", content: "Q".repeat(150) }]);
  });
});

describe("results", () => {
  const results = (...ids: string[]) => ({ results: ids.map((id) => ({ tool_call_id: id, content: "" })) });

  test.each([
    ["is missing", ["call_1"], "results", "results must have one result for each call. Add results for call_2."],
    [
      "belongs to no call",
      ["call_1", "call_3"],
      "results.1.tool_call_id",
      "results.1.tool_call_id must be the id of a call that has no other result. The answer's calls: call_1, call_2.",
    ],
    [
      "is repeated",
      ["call_1", "call_2", "call_2"],
      "results.2.tool_call_id",
      "results.2.tool_call_id must be the id of a call that has no other result. The answer's calls: call_1, call_2.",
    ],
  ])("are refused if one %s, and nothing is stored", async (_, ids, param, message) => {
    const { id, answerId } = await called("call_1", "call_2");
    const returned = conversations.returnResults(asking(), id, answerId, results(...ids));
    await expect(returned).rejects.toMatchObject({ kind: "invalid_request", message, detail: { param } });
    expect(await messagesIn(id)).toHaveLength(2);
  });

  test("are refused for an answer without calls, for an earlier one, and for another key's", async () => {
    const { id, answerId } = await called("call_1");
    const theirs = conversations.returnResults(asking(bob), id, answerId, results("call_1"));
    await expect(theirs).rejects.toMatchObject({ kind: "not_found" });
    const { generation } = await exchange("Never mind.", "All right.", { conversationId: id });
    for (const message of [answerId, generation.answer.id]) {
      const returned = conversations.returnResults(asking(), id, message, results("call_1"));
      await expect(returned).rejects.toMatchObject({ kind: "conflict" });
    }
  });

  test("can be answered again, and are deleted with their question", async () => {
    const begin = await called("call_1");
    await answered(begin, ["call_1"], "It is 21 °C.");
    const { generation } = await conversations.regenerate(asking(), begin.id);
    speaker.push("21 °C.");
    speaker.push(null);
    await generation.done;
    expect(prompt()?.at(-1)).toMatchObject({ role: "tool" });
    const messages = await messagesIn(begin.id);
    expect(messages.at(-1)).toMatchObject({ content: "21 °C.", versions: [expect.any(String), expect.any(String)] });
    await exchange("And tomorrow?", "I don't know.", { conversationId: begin.id });
    await conversations.removeTurn(ada, begin.id, messages[0]?.id ?? "");
    const { messages: left, message_count } = await conversations.get(ada, begin.id);
    expect([left.map(({ content }) => content), message_count]).toEqual([["And tomorrow?", "I don't know."], 2]);
  });
});

test("the tokens of a prompt are counted with the conversation's tools", async () => {
  const { id } = await conversations.create(ada, { tools: [weather] });
  const ask = async () => {
    const { generation } = await conversations.ask(asking(), question.content, { conversationId: id });
    speaker.push(null);
    await generation.done;
    return (await messagesIn(id)).at(-1)?.detail?.context?.prompt_tokens;
  };
  const tokens = tokensOf([question], [weather]);
  speaker.contextWindow = tokens + 1;
  expect(await ask()).toBe(tokens);
  expect(speaker.counted).toBe(1);
  speaker.contextWindow = tokens;
  await expect(ask()).rejects.toMatchObject({ kind: "context_length_exceeded" });
});

test("tools are refused for a model without the capability", async () => {
  speaker.hasTools = false;
  const refused = { kind: "invalid_request", detail: { param: "tools" } };
  await expect(conversations.create(ada, { tools: [weather] })).rejects.toMatchObject(refused);
  const { id } = await conversations.create(ada, { tools: [] });
  await expect(conversations.update(ada, id, { tools: [weather] })).rejects.toMatchObject(refused);
  expect((await conversations.update(ada, id, { tools: null })).tools).toBeNull();
});
