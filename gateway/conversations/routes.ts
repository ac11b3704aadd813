import { Elysia } from "elysia";
import type { Asking } from "../call";
import { PathId } from "../contract";
import { auth } from "../http/auth";
import { reducibleCallOf } from "../http/call";
import { download } from "../http/download";
import type { Exchange } from "../http/exchange";
import { allows, creates, downloads, fails, runsLong, streams } from "../http/route-facts";
import { frame, sseResponse } from "../http/sse";
import type { Idempotency } from "../idempotency/service";
import type { Principal } from "../principal";
import {
  AnswerBegun,
  AnswerUpdate,
  AskQuestion,
  Conversation,
  ConversationExport,
  ConversationPage,
  ConversationQuery,
  ConversationWithMessages,
  CreateConversation,
  ExportQuery,
  ImportResult,
  MessagePath,
  ReturnResults,
  StopResult,
  UpdateConversation,
} from "./contract";
import type { ConversationService } from "./service";
import type { ConversationTransfer } from "./transfer";

/** Minimum time between two updates to a reader who follows an answer. */
const FOLLOW_MS = 100;

/** The request data that an answer needs, because it continues after the request has ended. */
const askingOf = (exchange: Exchange, principal: Principal): Asking => {
  const { signal: _, ...asking } = reducibleCallOf(exchange, principal);
  return asking;
};

interface Services {
  conversations: ConversationService;
  transfer: ConversationTransfer;
  idempotency: Idempotency;
}

/** The history of the chat page. Callers only see their own conversations. */
export const conversationRoutes = ({ conversations, transfer, idempotency }: Services) =>
  new Elysia({ name: "conversations.routes", prefix: "/v1/conversations", tags: ["Conversations"] })
    .use(auth)
    .get("", ({ principal, query }) => conversations.list(principal, query), {
      query: ConversationQuery,
      response: { 200: ConversationPage },
      detail: { ...allows("member"), summary: "List your conversations, most recently changed first" },
    })
    .post(
      "",
      async ({ principal, exchange, body, status }) => {
        const made = await idempotency.once(exchange, principal, body, (seal) =>
          conversations.create(principal, body, seal),
        );
        return status(201, made);
      },
      {
        body: CreateConversation,
        response: { 201: Conversation },
        detail: { ...allows("member"), summary: "Start a conversation", ...creates, ...fails(404) },
      },
    )
    .get("/export", async ({ principal, query }) => download(await transfer.exportAll(principal, query.format)), {
      query: ExportQuery,
      response: { 200: ConversationExport },
      detail: { ...allows("member"), summary: "Download all your conversations", ...downloads("text/markdown") },
    })
    .post("/import", ({ principal, body }) => transfer.importAll(principal, body), {
      body: ConversationExport,
      response: { 200: ImportResult },
      detail: {
        ...allows("member"),
        summary: "Import conversations from a JSON export; importing a file twice adds nothing",
        ...fails(403),
      },
    })
    .get("/:id", ({ principal, params }) => conversations.get(principal, params.id), {
      params: PathId,
      response: { 200: ConversationWithMessages },
      detail: { ...allows("member"), summary: "Read a conversation with its messages" },
    })
    .patch("/:id", ({ principal, params, body }) => conversations.update(principal, params.id, body), {
      params: PathId,
      body: UpdateConversation,
      response: { 200: Conversation },
      detail: {
        ...allows("member"),
        summary: "Rename a conversation, or change the index or the functions that its answers use",
      },
    })
    .delete(
      "/:id",
      async ({ principal, params }) => {
        await conversations.remove(principal, params.id);
        return new Response(null, { status: 204 });
      },
      {
        params: PathId,
        detail: { ...allows("member"), summary: "Delete a conversation and its messages permanently" },
      },
    )
    .post(
      "/:id/messages",
      async ({ principal, exchange, params, body, status }) => {
        const place = { conversationId: params.id, replaces: body.replaces };
        const begun = await idempotency.once(exchange, principal, body, async (seal) => {
          const asked = await conversations.ask(askingOf(exchange, principal), body.content, place, seal);
          return asked.begun;
        });
        return status(201, begun);
      },
      {
        params: PathId,
        body: AskQuestion,
        response: { 201: AnswerBegun },
        detail: {
          ...allows("member"),
          summary: "Ask a question, or replace an earlier one with a new version",
          description:
            "The answer is generated in the background; stream it from its events. The oldest turns that don't fit into the context window any more are left out; the conversation's `context` names the first message that the model read. A question longer than the window is rejected with `context_length_exceeded`, and nothing is stored.",
          ...creates,
          ...fails(403),
        },
      },
    )
    .post(
      "/:id/messages/:message_id/regenerate",
      async ({ principal, exchange, params, status }) => {
        const asking = askingOf(exchange, principal);
        const { begun } = await conversations.regenerate(asking, params.id, params.message_id);
        return status(201, begun);
      },
      {
        params: MessagePath,
        response: { 201: AnswerBegun },
        detail: {
          ...allows("member"),
          summary: "Answer a question again",
          description: "`message_id` is the earlier answer. It is kept as another version.",
          ...fails(403, 409),
        },
      },
    )
    .post(
      "/:id/messages/:message_id/tool-results",
      async ({ principal, exchange, params: { id, message_id: answerId }, body, status }) => {
        const begun = await idempotency.once(exchange, principal, body, (seal) =>
          conversations.returnResults(askingOf(exchange, principal), id, answerId, body, seal),
        );
        return status(201, begun);
      },
      {
        params: MessagePath,
        body: ReturnResults,
        response: { 201: AnswerBegun },
        detail: {
          ...allows("member"),
          summary: "Return the results of an answer's function calls, and get the next answer",
          description:
            "`message_id` is the answer with the calls, which must be the last message of the shown branch. The results become messages with the role `tool`.",
          ...creates,
          ...fails(403, 409),
        },
      },
    )
    .post(
      "/:id/messages/:message_id/select",
      ({ principal, params }) => conversations.select(principal, params.id, params.message_id),
      {
        params: MessagePath,
        response: { 200: ConversationWithMessages },
        detail: {
          ...allows("member"),
          summary: "Show this version of a message and the messages after it",
          ...fails(409),
        },
      },
    )
    .delete(
      "/:id/messages/:message_id",
      async ({ principal, params }) => {
        await conversations.removeTurn(principal, params.id, params.message_id);
        return new Response(null, { status: 204 });
      },
      {
        params: MessagePath,
        detail: {
          ...allows("member"),
          summary: "Delete a question and its answers permanently",
          description: "Later messages are kept and attached to the message before the question.",
          ...fails(409),
        },
      },
    )
    .post("/:id/stop", async ({ principal, params }) => ({ stopped: await conversations.stop(principal, params.id) }), {
      params: PathId,
      response: { 200: StopResult },
      detail: { ...allows("member"), summary: "Stop the running answer; its text is kept" },
    })
    .get(
      "/:id/export",
      async ({ principal, params, query }) => download(await transfer.exportOne(principal, params.id, query.format)),
      {
        params: PathId,
        query: ExportQuery,
        response: { 200: ConversationExport },
        detail: { ...allows("member"), summary: "Download a conversation", ...downloads("text/markdown") },
      },
    )
    .get(
      "/:id/messages/:message_id/events",
      async ({ principal, params, exchange }) => {
        const signal = exchange.activeSignal(principal.keyId);
        const states = conversations.follow(principal, params.id, params.message_id, signal, FOLLOW_MS);
        // An error here still gets its own status.
        const first = await states.next();
        const pieces = async function* () {
          if (!first.done) yield frame(first.value);
          for await (const state of states) yield frame(state);
        };
        return sseResponse(exchange, { headers: {}, pieces: pieces() });
      },
      {
        params: MessagePath,
        detail: {
          ...allows("member"),
          summary: "Follow an answer: its current text, then every change until it ends",
          ...streams(AnswerUpdate),
          ...runsLong,
        },
      },
    );
