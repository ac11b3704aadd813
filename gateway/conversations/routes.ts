import { Elysia } from "elysia";
import { ErrorEnvelope, PathId } from "../contract";
import { auth } from "../http/auth";
import {
  Conversation,
  ConversationPage,
  ConversationQuery,
  ConversationWithMessages,
  CreateConversation,
  RenameConversation,
  StopResult,
} from "./contract";
import type { ConversationService } from "./service";

/** The chat page's history by API: the caller's own conversations and nobody else's. */
export const conversationRoutes = ({ conversations }: { conversations: ConversationService }) =>
  new Elysia({ name: "conversations.routes", prefix: "/v1/conversations", tags: ["Conversations"] })
    .use(auth)
    .get("", ({ principal, query }) => conversations.list(principal, query), {
      query: ConversationQuery,
      response: { 200: ConversationPage, default: ErrorEnvelope },
      detail: { summary: "List your conversations, last changed first" },
    })
    .post("", async ({ principal, body, status }) => status(201, await conversations.create(principal, body)), {
      parse: "json",
      body: CreateConversation,
      response: { 201: Conversation, default: ErrorEnvelope },
      detail: { summary: "Begin a conversation" },
    })
    .get("/:id", ({ principal, params }) => conversations.get(principal, params.id), {
      params: PathId,
      response: { 200: ConversationWithMessages, default: ErrorEnvelope },
      detail: { summary: "Read a conversation with its messages" },
    })
    .patch("/:id", ({ principal, params, body }) => conversations.rename(principal, params.id, body.title), {
      parse: "json",
      params: PathId,
      body: RenameConversation,
      response: { 200: Conversation, default: ErrorEnvelope },
      detail: { summary: "Rename a conversation" },
    })
    .delete(
      "/:id",
      async ({ principal, params }) => {
        await conversations.remove(principal, params.id);
        return new Response(null, { status: 204 });
      },
      { params: PathId, detail: { summary: "Delete a conversation and its messages for good" } },
    )
    .post("/:id/stop", async ({ principal, params }) => ({ stopped: await conversations.stop(principal, params.id) }), {
      params: PathId,
      response: { 200: StopResult, default: ErrorEnvelope },
      detail: { summary: "Stop the answer that is being written; its text is kept" },
    });
