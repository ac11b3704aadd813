import type { Server } from "bun";
import { Elysia, t } from "elysia";
import type { Generation } from "../../gateway/conversations/generation";
import type { ConversationService } from "../../gateway/conversations/service";
import { principalOf } from "../../gateway/http/auth";
import { exchangeOf } from "../../gateway/http/exchange";
import { sseResponse } from "../../gateway/http/sse";
import { Fields } from "../ui/form";
import { html, isHtmx, PAGE_HEADERS, page, redirect } from "../ui/html";
import { Asked, ChatPage, MAX_QUESTION, Regenerated } from "./page";
import { answerMessages, UPDATE_MS } from "./stream";

const HISTORY_LENGTH = 50;
const { "content-type": _, ...STREAM_HEADERS } = PAGE_HEADERS;
const NO_DIRECTIVES = { noCache: false, noStore: false, onlyIfCached: false };

/** What the chat service has to know of the request that asks. Answers for people go before batch work. */
const askingOf = (request: Request) => {
  const { requestId, receivedAt, traceparent } = exchangeOf(request);
  return {
    principal: principalOf(request),
    requestId,
    receivedAt,
    traceparent,
    priority: "interactive",
    directives: NO_DIRECTIVES,
  } as const;
};

const form = { body: Fields({ conversation: t.Optional(t.String({ maxLength: 100 })) }) };

/** Without scripts a page can't fill itself: its form waits for the whole answer, however long no byte is sent. */
const wholeAnswer = async (request: Request, server: Server<unknown> | null, generation: Generation): Promise<void> => {
  server?.timeout(request, 0);
  for await (const _ of generation.follow(request.signal, 1000));
};

/** `/chat`: pages, forms and the stream of an answer. */
export const chatRoutes = ({ conversations }: { conversations: ConversationService }) => {
  const chatPage = async (request: Request, id?: string, typed?: { draft: string; problem: string }) => {
    const principal = principalOf(request);
    const conversation = id ? await conversations.get(principal, id) : undefined;
    const { data: history } = await conversations.list(principal, { limit: HISTORY_LENGTH });
    const props = { request, principal, conversation, history, ...typed };
    return page(<ChatPage {...props} />, typed ? 422 : 200);
  };

  return new Elysia({ name: "views.chat", prefix: "/chat" })
    .get("", ({ request }) => chatPage(request))
    .get("/:id", ({ request, params }) => chatPage(request, params.id))
    .post(
      "",
      async ({ request, body, server }) => {
        const id = body.conversation || undefined;
        const question = body.question.trim();
        if (question === "") return chatPage(request, id, { draft: "", problem: "Write a message first." });
        const { conversation, question: asked, generation } = await conversations.ask(askingOf(request), question, id);
        const path = `/chat/${conversation.id}`;
        if (!isHtmx(request)) {
          await wholeAnswer(request, server, generation);
          return redirect(request, path);
        }
        const isNew = id === undefined;
        const headers: Record<string, string> = isNew ? { "hx-push-url": path } : {};
        const props = { conversation, question: asked, answer: generation.state, isNew };
        return html(<Asked {...props} />, 200, headers);
      },
      {
        body: Fields({
          conversation: t.Optional(t.String({ maxLength: 100 })),
          question: t.String({ maxLength: MAX_QUESTION }),
        }),
      },
    )
    .post(
      "/stop",
      async ({ request, body }) => {
        const id = body.conversation;
        if (id) await conversations.stop(principalOf(request), id);
        return isHtmx(request)
          ? new Response(null, { status: 204, headers: PAGE_HEADERS })
          : redirect(request, id ? `/chat/${id}` : "/chat");
      },
      form,
    )
    .get("/:id/answers/:answer", ({ request, params }) => {
      const principal = principalOf(request);
      const states = conversations.follow(principal, params.id, params.answer, request.signal, UPDATE_MS);
      return sseResponse(exchangeOf(request), { pieces: answerMessages(params.id, states), headers: STREAM_HEADERS });
    })
    .post("/:id/regenerate", async ({ request, params, server }) => {
      const { replaced, generation } = await conversations.regenerate(askingOf(request), params.id);
      if (isHtmx(request) && replaced) {
        const props = { conversationId: params.id, replacedId: replaced.id, answer: generation.state };
        return html(<Regenerated {...props} />);
      }
      await wholeAnswer(request, server, generation);
      return redirect(request, `/chat/${params.id}`);
    })
    .post(
      "/:id/rename",
      async ({ request, params, body }) => {
        await conversations.rename(principalOf(request), params.id, body.title.trim());
        return redirect(request, `/chat/${params.id}`);
      },
      { body: Fields({ title: t.String({ minLength: 1, maxLength: 200, pattern: "\\S" }) }) },
    )
    .post("/:id/delete", async ({ request, params }) => {
      await conversations.remove(principalOf(request), params.id);
      return redirect(request, "/chat");
    });
};
