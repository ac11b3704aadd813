import type { Server } from "bun";
import { Elysia, t } from "elysia";
import type { Generation } from "../../gateway/conversations/generation";
import type { ConversationService } from "../../gateway/conversations/service";
import type { DatasetService } from "../../gateway/datasets/service";
import type { Feedback } from "../../gateway/feedback/contract";
import type { FeedbackService } from "../../gateway/feedback/service";
import { principalOf } from "../../gateway/http/auth";
import { exchangeOf } from "../../gateway/http/exchange";
import { sseResponse } from "../../gateway/http/sse";
import { hasRole, type Principal } from "../../gateway/principal";
import { AppError } from "../../lib/errors";
import { askingOf } from "../asking";
import type { Problems } from "../ui/fields";
import { Fields } from "../ui/form";
import { html, isHtmx, PAGE_HEADERS, page, redirect } from "../ui/html";
import { EMPTY_FEEDBACK, FeedbackFields, type FeedbackForm, FeedbackPage, FeedbackSaved } from "./feedback";
import { Asked, ChatPage, MAX_QUESTION, Regenerated } from "./page";
import { answerMessages, UPDATE_MS } from "./stream";

const HISTORY_LENGTH = 50;
const { "content-type": _, ...STREAM_HEADERS } = PAGE_HEADERS;
const form = { body: Fields({ conversation: t.Optional(t.String({ maxLength: 100 })) }) };

/** Without scripts a page can't fill itself: its form waits for the whole answer, however long no byte is sent. */
const wholeAnswer = async (request: Request, server: Server<unknown> | null, generation: Generation): Promise<void> => {
  server?.timeout(request, 0);
  for await (const _ of generation.follow(request.signal, 1000));
};

interface Services {
  conversations: ConversationService;
  datasets: Pick<DatasetService, "list">;
  feedback: Pick<FeedbackService, "give">;
}

/** `/chat`: pages, forms, the stream of an answer, and feedback on it. */
export const chatRoutes = ({ conversations, datasets, feedback }: Services) => {
  const chatPage = async (request: Request, id?: string, typed?: { draft: string; problem: string }) => {
    const principal = principalOf(request);
    const conversation = id ? await conversations.get(principal, id) : undefined;
    const { data: history } = await conversations.list(principal, { limit: HISTORY_LENGTH });
    const props = { request, principal, conversation, history, ...typed };
    return page(<ChatPage {...props} />, typed ? 422 : 200);
  };

  const showFeedback = async (
    request: Request,
    { id, answer: answerId }: { id: string; answer: string },
    filled: { form?: FeedbackForm; problems?: Problems; saved?: Feedback } = {},
  ): Promise<Response> => {
    const principal = principalOf(request);
    const { content } = await findAnswer(principal, id, answerId);
    const mayAdd = hasRole(principal.role, "editor");
    const props = {
      path: `/chat/${id}/answers/${answerId}/feedback`,
      answerId,
      form: filled.form ?? EMPTY_FEEDBACK,
      datasets: mayAdd ? (await datasets.list({ limit: 100 })).data.map(({ name }) => name) : undefined,
      problems: filled.problems,
    };
    const status = filled.problems ? 422 : 200;
    if (!isHtmx(request)) {
      const frame = { request, principal, conversationId: id, answer: content };
      return page(<FeedbackPage {...props} {...frame} saved={filled.saved} />, status);
    }
    return html(filled.saved ? <FeedbackSaved feedback={filled.saved} /> : <FeedbackFields {...props} />, status);
  };

  /** Throws not_found. */
  const findAnswer = async (principal: Principal, id: string, answerId: string) => {
    const { messages } = await conversations.get(principal, id);
    const answer = messages.find((message) => message.id === answerId && message.role === "assistant");
    if (answer) return answer;
    throw new AppError("not_found", "There is no such answer, or it was replaced.");
  };

  const giveFeedback = async (
    request: Request,
    params: { id: string; answer: string },
    form: FeedbackForm,
  ): Promise<Response> => {
    const { rating } = form;
    if (rating !== "up" && rating !== "down") {
      return showFeedback(request, params, { form, problems: { rating: "Choose good or bad" } });
    }
    const principal = principalOf(request);
    const { detail } = await findAnswer(principal, params.id, params.answer);
    const given = {
      request_id: detail?.request_id ?? "",
      rating,
      ...(form.comment.trim() && { comment: form.comment.trim() }),
      ...(form.correction.trim() && { correction: form.correction.trim() }),
      ...(form.dataset.trim() && { dataset: form.dataset.trim() }),
    } as const;
    const saved = await feedback.give(principal, given, async () => {}, request.signal);
    return showFeedback(request, params, { saved });
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
    .get("/:id/answers/:answer/feedback", ({ request, params }) => showFeedback(request, params))
    .post(
      "/:id/answers/:answer/feedback",
      ({ request, params, body }) => giveFeedback(request, params, { ...EMPTY_FEEDBACK, ...body }),
      {
        body: Fields({
          rating: t.Optional(t.String({ maxLength: 10 })),
          comment: t.Optional(t.String({ maxLength: 10_000 })),
          correction: t.Optional(t.String({ maxLength: MAX_QUESTION })),
          dataset: t.Optional(t.String({ maxLength: 100 })),
        }),
      },
    )
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
