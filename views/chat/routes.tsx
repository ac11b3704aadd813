import { Elysia, t } from "elysia";
import type { Feedback } from "../../gateway/feedback/contract";
import { principalOf } from "../../gateway/http/auth";
import { exchangeOf } from "../../gateway/http/exchange";
import { allows, runsLong } from "../../gateway/http/route-facts";
import { sseResponse } from "../../gateway/http/sse";
import { hasRole, type Principal } from "../../gateway/principal";
import type { Services } from "../../gateway/services";
import { AppError } from "../../lib/errors";
import { askingOf } from "../asking";
import type { Problems } from "../ui/fields";
import { Fields } from "../ui/form";
import { html, isHtmx, PAGE_HEADERS, page, redirect } from "../ui/html";
import { FeedbackFields, type FeedbackForm, FeedbackKept, FeedbackPage, filledWith } from "./feedback";
import { Chats, Entries } from "./history";
import { Asked, ChatPage, OtherBranch, type Typed } from "./page";
import { answerMessages, UPDATE_MS } from "./stream";
import { MAX_QUESTION, QuestionForm } from "./turn";

const HISTORY_LENGTH = 50;
const { "content-type": _, ...STREAM_HEADERS } = PAGE_HEADERS;
const form = { body: Fields({ conversation: t.Optional(t.String({ maxLength: 100 })) }) };

/** Throws invalid_request. */
const assertQuestion = (question: string): void => {
  if (question === "") throw new AppError("invalid_request", "Write a message first.");
};

/** `/chat`: pages, forms, the stream of an answer, and feedback on it. */
export const chatRoutes = ({
  conversations,
  datasets,
  feedback,
}: Pick<Services, "conversations" | "datasets" | "feedback">) => {
  /** Chats for the URL's query: after a cursor, or matching a search. */
  const historyOf = async (request: Request) => {
    const query = new URL(request.url).searchParams;
    const search = query.get("search")?.trim().slice(0, 200) || undefined;
    const after = query.get("after") || undefined;
    return {
      search,
      after,
      chats: await conversations.list(principalOf(request), { limit: HISTORY_LENGTH, search, after }),
    };
  };

  /** A conversation and the user's feedback on its answers. */
  const read = async (principal: Principal, id: string) => {
    const conversation = await conversations.get(principal, id);
    const requests = conversation.messages.flatMap(({ detail }) => detail?.request_id ?? []);
    return { conversation, feedback: await feedback.given(principal, requests) };
  };

  const chatPage = async (
    request: Request,
    id?: string,
    { editing, typed }: { editing?: string; typed?: Typed } = {},
  ) => {
    const principal = principalOf(request);
    const shown = id ? await read(principal, id) : { conversation: undefined, feedback: new Map() };
    const props = { request, principal, ...shown, history: await historyOf(request), editing, typed };
    return page(<ChatPage {...props} />, typed?.problem ? 422 : 200);
  };

  /** Only the list of chats, for htmx: a search, or the next page. */
  const chatList = async (request: Request, id?: string): Promise<Response> => {
    const history = await historyOf(request);
    const path = id ? `/chat/${id}` : "/chat";
    const current = id ? await conversations.get(principalOf(request), id) : undefined;
    if (history.after === undefined) return html(<Chats {...history} path={path} current={current} />);
    // The open chat is already in the list.
    const data = history.chats.data.filter((chat) => chat.id !== id);
    return html(<Entries {...history} path={path} chats={{ ...history.chats, data }} />);
  };

  /** Response after switching branches: the new turns for htmx, otherwise the whole page. */
  const otherBranch = async (request: Request, id: string): Promise<Response> =>
    isHtmx(request)
      ? html(<OtherBranch {...(await read(principalOf(request), id))} />)
      : redirect(request, `/chat/${id}`);

  /** If a question is rejected, for example as too long, shows its text again in case no script has kept it. */
  const orTyped = async <T,>(
    request: Request,
    again: (problem: string) => Promise<Response>,
    ask: () => Promise<T>,
  ) => {
    try {
      return await ask();
    } catch (thrown) {
      const isRefused = thrown instanceof AppError && thrown.status === 400;
      if (isRefused && !isHtmx(request)) return again(thrown.message);
      throw thrown;
    }
  };

  const showFeedback = async (
    request: Request,
    { id, answer: answerId }: { id: string; answer: string },
    filled: { form?: FeedbackForm; problems?: Problems; saved?: Feedback } = {},
  ): Promise<Response> => {
    const principal = principalOf(request);
    const { content, detail } = await findAnswer(principal, id, answerId);
    const given = await feedback.given(principal, detail ? [detail.request_id] : []);
    const mayAdd = hasRole(principal.role, "editor");
    const props = {
      path: `/chat/${id}/answers/${answerId}/feedback`,
      answerId,
      form: filled.form ?? filledWith(given.get(detail?.request_id ?? "")),
      datasets: mayAdd ? (await datasets.list({ limit: 100 })).data.map(({ name }) => name) : undefined,
      problems: filled.problems,
    };
    const status = filled.problems ? 422 : 200;
    if (!isHtmx(request)) {
      const frame = { request, principal, conversationId: id, answer: content };
      return page(<FeedbackPage {...props} {...frame} saved={filled.saved} />, status);
    }
    const { saved } = filled;
    if (!saved) return html(<FeedbackFields {...props} />, status);
    return html(<FeedbackKept conversationId={id} answerId={answerId} feedback={saved} />);
  };

  /** Throws not_found. */
  const findAnswer = async (principal: Principal, id: string, answerId: string) => {
    const { messages } = await conversations.get(principal, id);
    const answer = messages.find((message) => message.id === answerId && message.role === "assistant");
    if (answer) return answer;
    throw new AppError("not_found", "This answer does not exist, or it was replaced.");
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
    .get("", ({ request }) => (isHtmx(request) ? chatList(request) : chatPage(request)), { detail: allows("member") })
    .get("/:id", ({ request, params: { id } }) => (isHtmx(request) ? chatList(request, id) : chatPage(request, id)), {
      detail: allows("member"),
    })
    .post(
      "",
      async ({ request, body }) => {
        const id = body.conversation || undefined;
        const question = body.question.trim();
        const again = (problem: string) => chatPage(request, id, { typed: { draft: question, problem } });
        return orTyped(request, again, async () => {
          assertQuestion(question);
          const asked = await conversations.ask(askingOf(request), question, { conversationId: id });
          const { conversation, generation } = asked;
          const path = `/chat/${conversation.id}`;
          if (!isHtmx(request)) {
            await generation.whole(request.signal);
            return redirect(request, path);
          }
          const isNew = id === undefined;
          const headers: Record<string, string> = isNew ? { "hx-push-url": path } : {};
          return html(<Asked {...asked} answer={generation.state} isNew={isNew} />, 200, headers);
        });
      },
      {
        body: Fields({
          conversation: t.Optional(t.String({ maxLength: 100 })),
          question: t.String({ maxLength: MAX_QUESTION }),
        }),
        detail: { ...allows("member"), ...runsLong },
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
      { ...form, detail: allows("member") },
    )
    .get(
      "/:id/answers/:answer",
      ({ request, params }) => {
        const principal = principalOf(request);
        const states = conversations.follow(principal, params.id, params.answer, request.signal, UPDATE_MS);
        return sseResponse(exchangeOf(request), { pieces: answerMessages(params.id, states), headers: STREAM_HEADERS });
      },
      { detail: allows("member") },
    )
    .get("/:id/answers/:answer/feedback", ({ request, params }) => showFeedback(request, params), {
      detail: allows("member"),
    })
    .post(
      "/:id/answers/:answer/feedback",
      ({ request, params, body }) => giveFeedback(request, params, { ...filledWith(undefined), ...body }),
      {
        body: Fields({
          rating: t.Optional(t.String({ maxLength: 10 })),
          comment: t.Optional(t.String({ maxLength: 10_000 })),
          correction: t.Optional(t.String({ maxLength: MAX_QUESTION })),
          dataset: t.Optional(t.String({ maxLength: 100 })),
        }),
        detail: allows("member"),
      },
    )
    .post(
      "/:id/answers/:answer/regenerate",
      async ({ request, params: { id, answer } }) => {
        const { generation } = await conversations.regenerate(askingOf(request), id, answer);
        // Without scripts, a page can't update itself: the form's response waits for the whole answer.
        if (!isHtmx(request)) await generation.whole(request.signal);
        return otherBranch(request, id);
      },
      { detail: { ...allows("member"), ...runsLong } },
    )
    .post(
      "/:id/versions",
      async ({ request, params: { id }, body }) => {
        await conversations.select(principalOf(request), id, body.version);
        return otherBranch(request, id);
      },
      { body: Fields({ version: t.String({ maxLength: 100 }) }), detail: allows("member") },
    )
    .get(
      "/:id/questions/:question",
      async ({ request, params: { id, question } }) => {
        if (!isHtmx(request)) return chatPage(request, id, { editing: question });
        const { messages } = await conversations.get(principalOf(request), id);
        const message = messages.find((one) => one.id === question && one.role === "user");
        if (!message) throw new AppError("not_found", "This question does not exist, or it was deleted.");
        return html(<QuestionForm conversationId={id} message={message} />);
      },
      { detail: allows("member") },
    )
    .post(
      "/:id/questions/:question",
      async ({ request, params: { id, question: replaces }, body }) => {
        const question = body.question.trim();
        const again = (problem: string) =>
          chatPage(request, id, { editing: replaces, typed: { draft: question, problem } });
        return orTyped(request, again, async () => {
          assertQuestion(question);
          const { generation } = await conversations.ask(askingOf(request), question, { conversationId: id, replaces });
          if (!isHtmx(request)) await generation.whole(request.signal);
          return otherBranch(request, id);
        });
      },
      {
        body: Fields({ question: t.String({ maxLength: MAX_QUESTION }) }),
        detail: { ...allows("member"), ...runsLong },
      },
    )
    .post(
      "/:id/questions/:question/delete",
      async ({ request, params: { id, question } }) => {
        await conversations.removeTurn(principalOf(request), id, question);
        return redirect(request, `/chat/${id}`);
      },
      { detail: allows("member") },
    )
    .post(
      "/:id/rename",
      async ({ request, params, body }) => {
        await conversations.rename(principalOf(request), params.id, body.title.trim());
        return redirect(request, `/chat/${params.id}`);
      },
      { body: Fields({ title: t.String({ minLength: 1, maxLength: 200, pattern: "\\S" }) }), detail: allows("member") },
    )
    .post(
      "/:id/delete",
      async ({ request, params }) => {
        await conversations.remove(principalOf(request), params.id);
        return redirect(request, "/chat");
      },
      { detail: allows("member") },
    );
};
