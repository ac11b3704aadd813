import { afterEach, beforeEach, expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { ANSWER, CITATIONS, refusedAnswer, sampleAnswer } from "../../tests/browser/rag-samples";
import { problemOf } from "../../tests/db/temporary";
import { startConversations } from "../../tests/fixtures/conversations";
import type { AnswerState } from "./generation";

type Setup = Awaited<ReturnType<typeof startConversations>>;
let { rag, ada, conversations, asking, exchange, read, close } = {} as Setup;
beforeEach(async () => {
  ({ rag, ada, conversations, asking, exchange, read, close } = await startConversations());
});
afterEach(() => close());

const INDEX = "idx_handbook";
const QUESTION = "How many days of leave are there?";

/** Asks the index, and waits for an answer that is already scripted. */
const askIndex = async (conversationId?: string, question = QUESTION) => {
  const asked = await conversations.ask(asking(), question, { conversationId, index: INDEX });
  await asked.generation.done;
  return asked;
};
const last = async (id: string) => (await conversations.get(ada, id)).messages.at(-1);

test("an answer from an index is stored with its evidence and its details", async () => {
  rag.answer(sampleAnswer());
  const { conversation } = await askIndex();
  expect(conversation.index).toBe(INDEX);
  const message = await last(conversation.id);
  const { chunks, threshold, warning, degraded, index, grounding } = sampleAnswer();
  expect(message).toMatchObject({
    content: ANSWER,
    status: "complete",
    detail: {
      finish_reason: "stop",
      usage: { total_tokens: 520 },
      model_revision: "b179c9523d0e",
      request_id: "req_1",
    },
  });
  expect(message?.detail?.evidence).toEqual({
    status: "answered",
    ...{ index, chunks, threshold, warning, degraded, grounding, citations: CITATIONS, gone: [] },
  });
});

test("each step of a running answer is visible: searching, writing, checking", async () => {
  const { generation } = await conversations.ask(asking(), QUESTION, { index: INDEX });
  const states = generation.follow(AbortSignal.timeout(5000), 1);
  const until = async (condition: (state: AnswerState) => boolean) => {
    for (;;) {
      const { value, done } = await states.next();
      if (done) throw new Error("The answer ended first.");
      if (condition(value)) return value;
    }
  };
  const stepOf = ({ detail }: AnswerState) => detail.evidence?.status;
  expect((await until((state) => stepOf(state) === "searching")).detail.evidence?.index.name).toBe("Staff handbook");
  const { chunks, threshold, warning, degraded, index, cache, citations } = sampleAnswer();
  rag.say({ type: "retrieval", chunks, threshold, warning, degraded, index, cache });
  expect((await until((state) => stepOf(state) === "writing")).detail.evidence?.chunks).toHaveLength(5);
  rag.say({ type: "token", text: "Everyone has [1] [9]" });
  expect((await until(({ content }) => content !== "")).content).toBe("Everyone has [1] [9]");
  rag.say({ type: "citations", answer: "Everyone has [1]", citations });
  expect((await until((state) => stepOf(state) === "checking")).content).toBe("Everyone has [1]");
  await generation.stop();
  const stopped = (await conversations.get(ada, generation.answer.conversationId)).messages.at(-1);
  expect(stopped).toMatchObject({ status: "stopped", content: "Everyone has [1]" });
  expect(stopped?.detail?.evidence?.citations).toHaveLength(3);
});

test("without a relevant passage, the answer is the fallback text and no model is named", async () => {
  rag.answer(refusedAnswer());
  const { conversation } = await askIndex();
  const message = await last(conversation.id);
  expect(message).toMatchObject({ status: "complete", content: "The documents don’t answer this question." });
  expect(message?.detail?.evidence).toMatchObject({ status: "no_relevant_context", threshold: { passed: false } });
  expect(message?.detail?.usage).toBeUndefined();
});

test("a question is asked with the earlier turns, without the markers of earlier answers", async () => {
  rag.answer(sampleAnswer());
  const { conversation } = await askIndex();
  const retrieval = { top_k: 3 };
  await conversations.update(ada, conversation.id, { retrieval });
  await askIndex(conversation.id, "And how much of it is lost?");
  expect(rag.asked).toEqual({
    index: INDEX,
    question: "And how much of it is lost?",
    history: [
      { role: "user", content: QUESTION },
      { role: "assistant", content: ANSWER.replaceAll(" [1]", "") },
    ],
    model: "small",
    max_tokens: 1024,
    retrieval,
  });
});

test("a conversation keeps its index for edited questions, and regenerates with a different temperature", async () => {
  rag.answer(sampleAnswer());
  const { conversation, question } = await askIndex();
  const place = { conversationId: conversation.id, replaces: question.id };
  await (await conversations.ask(asking(), "Other words?", place)).generation.done;
  expect(rag.asked).toMatchObject({ index: INDEX, question: "Other words?", history: [] });
  await (await conversations.regenerate(asking(), conversation.id)).generation.done;
  expect(rag.asked).toMatchObject({ question: "Other words?", temperature: 0.5 });
});

test("a conversation can stop and resume using its index, and the model then reads the earlier answers", async () => {
  rag.answer(sampleAnswer());
  const { conversation } = await askIndex();
  await conversations.update(ada, conversation.id, { index: null });
  await exchange("Thanks", "You are welcome", { conversationId: conversation.id });
  expect(read()).toEqual([QUESTION, ANSWER, "Thanks"]);
  await conversations.update(ada, conversation.id, { index: INDEX });
  await askIndex(conversation.id, "And illness?");
  expect(rag.asked?.history).toHaveLength(4);
});

test("passages of a deleted document are left out of the answers that cite it", async () => {
  rag.answer(sampleAnswer());
  const { conversation } = await askIndex();
  rag.gone.add("doc_handbook");
  const message = await last(conversation.id);
  expect(message?.content).toBe(ANSWER);
  expect(message?.detail?.evidence).toMatchObject({ gone: ["doc_handbook"], chunks: [] });
  expect(message?.detail?.evidence?.citations.map(({ quote, document_title }) => [quote, document_title])).toEqual(
    CITATIONS.map(() => ["", "Staff handbook"]),
  );
});

test("a question that is too long, or to a deleted index, is refused and not stored", async () => {
  rag.answer(sampleAnswer());
  const { conversation } = await askIndex();
  const ask = (text: string) => conversations.ask(asking(), text, { conversationId: conversation.id });
  expect(await problemOf(ask("x".repeat(10_001)))).toMatchObject({
    kind: "invalid_request",
    detail: { param: "content" },
  });
  rag.all = [];
  expect((await problemOf(ask("More?"))).kind).toBe("not_found");
  expect((await problemOf(conversations.update(ada, conversation.id, { index: "other" }))).kind).toBe("not_found");
  expect((await conversations.get(ada, conversation.id)).messages).toHaveLength(2);
});

test("settings that contradict each other are refused when they are set", async () => {
  const threshold = { score: "rerank" as const, value: 0.5 };
  const problem = await problemOf(conversations.create(ada, { index: INDEX, retrieval: { threshold } }));
  expect([problem.kind, problem.detail.param]).toEqual(["invalid_request", "retrieval.threshold.score"]);
});

test("a search that fails becomes the answer's error", async () => {
  rag.say(new AppError("unavailable", "The index is loading."));
  const { conversation } = await askIndex();
  expect(await last(conversation.id)).toMatchObject({
    status: "failed",
    detail: { error: { code: "unavailable" }, evidence: { status: "searching" } },
  });
});
