import type { Db } from "../../db/client";
import * as store from "../../db/conversations";
import { AppError } from "../../lib/errors";
import type { Asking } from "../call";
import type { Seal } from "../idempotency/service";
import type { Models } from "../models/registry";
import type { Principal } from "../principal";
import { branchTo, findMessage, versionsByParent } from "./branches";
import type { Conversation, ConversationMessage, CreateConversation, ReturnResults } from "./contract";
import { type createPlanner, type Place, planAgain } from "./plan";
import type { RunningAnswers } from "./running-answers";
import { newAnswer, newMessage, titleOf, toConversation, toMessage } from "./wire";

interface AnsweringDeps {
  db: Db;
  models: Pick<Models, "resolve">;
  running: RunningAnswers;
  planner: ReturnType<typeof createPlanner>;
  /** Throws not_found for another caller's conversation. */
  find(principal: Principal, id: string): Promise<store.ConversationRow>;
  toMessages(
    row: store.ConversationRow,
    rows: readonly store.MessageRow[],
    leafId: string | null,
  ): ConversationMessage[];
  create(principal: Principal, conversation: CreateConversation): Promise<Conversation>;
  now: () => Date;
}

/**
 * Starts answers in conversations: to a new question, to an earlier question again, and to results of function calls.
 */
export const createAnswering = (deps: AnsweringDeps) => {
  const { db, models, running, planner, find, toMessages, create, now } = deps;

  /**
   * Adds a question and starts its answer. Without an id, creates the conversation. With `replaces`, the question is a
   * new version of an earlier one, and both are kept. Throws conflict if an answer is running in it, rate_limited,
   * not_found, model_not_found, and context_length_exceeded for a question that is too long; nothing is stored then.
   * Later failures become the state of the answer.
   */
  const ask = (asking: Asking, text: string, { conversationId, replaces, index }: Place = {}, seal?: Seal) =>
    running.withSlot(asking.principal, conversationId, async () => {
      const { principal } = asking;
      const row = conversationId === undefined ? undefined : await find(principal, conversationId);
      const rows = row ? await store.listMessages(db, row.id) : [];
      const replaced = replaces === undefined ? undefined : findMessage(rows, replaces, "user");
      const before = row && replaced?.parentId !== null ? toMessages(row, rows, replaced?.parentId ?? row.leafId) : [];
      const parentId = before.at(-1)?.id ?? null;
      const asked = newMessage(parentId, { role: "user", content: text, status: "complete" });
      const question = toMessage({ ...asked, createdAt: now() });
      const branch = [...before, question];
      const model = row?.model ?? models.resolve(principal, "chat", undefined).id;
      const { retrieval = null, tools = null } = row ? toConversation(row) : {};
      const current = row?.indexId ?? null;
      const wanted = index === undefined ? current : index;
      const indexId = wanted === current ? current : await planner.openIndex(principal, wanted, retrieval);
      const planned = await planner.plan(asking, { model, retrieval, tools, index: indexId }, branch);

      const conversation = row
        ? toConversation({ ...row, indexId })
        : await create(principal, { title: titleOf(text), model, ...(indexId !== null && { index: indexId }) });
      const answer = newAnswer(question.id);
      const begun = { conversation_id: conversation.id, question_id: question.id, answer_id: answer.id };
      await db.write(async (tx) => {
        await store.appendMessages(tx, conversation.id, [asked, answer], now());
        await store.updateConversation(tx, conversation.id, { indexId });
        await seal?.(tx, begun);
      });
      const versions = [answer.id];
      const generation = running.start(asking, { id: answer.id, versions, conversation, branch, plan: planned });
      return { conversation, question, generation, begun };
    });

  /**
   * Generates `answerId`, or the last answer shown, again. The earlier answer is kept as another version. Throws what
   * `ask` throws, and conflict if the answer has no question.
   */
  const regenerate = (asking: Asking, conversationId: string, answerId?: string) =>
    running.withSlot(asking.principal, conversationId, async () => {
      const row = await find(asking.principal, conversationId);
      const rows = await store.listMessages(db, conversationId);
      const shown = branchTo(rows, row.leafId).at(-1);
      const last = answerId === undefined ? shown : findMessage(rows, answerId, "assistant");
      const questionId = last?.role === "assistant" ? last.parentId : (last?.id ?? null);
      const branch = questionId === null ? [] : toMessages(row, rows, questionId);
      const { role } = branch.at(-1) ?? {};
      if (role !== "user" && role !== "tool")
        throw new AppError("conflict", "This conversation has no question to answer.");
      const conversation = toConversation(row);
      const planned = planAgain(await planner.plan(asking, conversation, branch));
      const answer = newAnswer(questionId);
      await db.write((tx) => store.appendMessages(tx, conversationId, [answer], now()));
      const versions = [...(versionsByParent(rows).get(questionId) ?? []), answer.id];
      // The cache would return the same answer again instead of a new version.
      const directives = { ...asking.directives, noCache: true };
      const generation = running.start(
        { ...asking, directives },
        { id: answer.id, versions, conversation, branch, plan: planned },
      );
      return { generation, begun: { conversation_id: row.id, question_id: questionId ?? "", answer_id: answer.id } };
    });

  /**
   * Adds the results of an answer's function calls and starts the next answer. Throws what `ask` throws, conflict
   * unless the answer is the last message, and invalid_request unless every call has exactly one result.
   */
  const returnResults = (
    asking: Asking,
    conversationId: string,
    answerId: string,
    { results }: ReturnResults,
    seal?: Seal,
  ) =>
    running.withSlot(asking.principal, conversationId, async () => {
      const row = await find(asking.principal, conversationId);
      const rows = await store.listMessages(db, conversationId);
      const { id: callerId } = findMessage(rows, answerId, "assistant");
      const before = toMessages(row, rows, row.leafId);
      const last = before.at(-1);
      if (last?.id !== callerId) throw new AppError("conflict", NOT_LAST);
      assertComplete(last, results);
      const returned: ReturnType<typeof newMessage>[] = [];
      let lastId = callerId;
      for (const { tool_call_id: toolCallId, content } of results) {
        const message = newMessage(lastId, { role: "tool", content, status: "complete", toolCallId });
        returned.push(message);
        lastId = message.id;
      }
      const conversation = toConversation(row);
      const branch = [...before, ...returned.map((message) => toMessage({ ...message, createdAt: now() }))];
      const planned = await planner.plan(asking, conversation, branch);
      const next = newAnswer(lastId);
      const begun = { conversation_id: row.id, question_id: lastId, answer_id: next.id };
      await db.write(async (tx) => {
        await store.appendMessages(tx, conversationId, [...returned, next], now());
        await seal?.(tx, begun);
      });
      running.start(asking, { id: next.id, versions: [next.id], conversation, branch, plan: planned });
      return begun;
    });

  return { ask, regenerate, returnResults };
};

const NOT_LAST =
  "Only the last answer's calls accept results. Messages follow this answer, or another version of it is shown.";

/** Throws conflict for an answer without calls, and invalid_request unless every call has exactly one result. */
const assertComplete = ({ tool_calls: calls }: ConversationMessage, results: ReturnResults["results"]): void => {
  if (!calls || calls.length === 0) throw new AppError("conflict", "This answer calls no functions.");
  const given = results.map(({ tool_call_id: id }) => id);
  const foreign = given.findIndex((id, index) => !calls.some((call) => call.id === id) || given.indexOf(id) < index);
  const known = calls.map(({ id }) => id).join(", ");
  if (foreign >= 0) {
    const param = `results.${foreign}.tool_call_id`;
    const message = `${param} must be the id of a call that has no other result. The answer's calls: ${known}.`;
    throw new AppError("invalid_request", message, { param });
  }
  const missing = calls.filter(({ id }) => !given.includes(id)).map(({ id }) => id);
  if (missing.length === 0) return;
  const message = `results must have one result for each call. Add results for ${missing.join(", ")}.`;
  throw new AppError("invalid_request", message, { param: "results" });
};
