import { Elysia, t } from "elysia";
import type { Generation } from "../../gateway/conversations/generation";
import { principalOf } from "../../gateway/http/auth";
import { exchangeOf } from "../../gateway/http/exchange";
import { allows, runsLong } from "../../gateway/http/route-facts";
import { sseResponse } from "../../gateway/http/sse";
import type { Principal } from "../../gateway/principal";
import type { Services } from "../../gateway/services";
import { AppError } from "../../lib/errors";
import { onceFor, reducibleAskingOf } from "../asking";
import { Fields, text } from "../ui/fields";
import { html, isHtmx, PAGE_HEADERS, page, redirect } from "../ui/html";
import { feedbackRoutes } from "./feedback";
import { Chats, Entries } from "./history";
import { Asked, ChatPage, type ChatPageProps, isUpToDate, OtherBranch } from "./page";
import { answerMessages, UPDATE_MS } from "./stream";
import { QuestionForm } from "./turn";

const HISTORY_LENGTH = 50;
/** Maximum length of a question in characters, well below the default body limit. */
const MAX_QUESTION = 100_000;
const { "content-type": _, ...STREAM_HEADERS } = PAGE_HEADERS;
/** The turns in the response replace those on the page. */
const REPLACES_TURNS = { "hx-retarget": "#turns", "hx-reswap": "innerHTML" };
const form = { body: Fields({ conversation: text(100) }) };

/** Throws invalid_request. */
const assertQuestion = (question: string): void => {
  if (question === "") throw new AppError("invalid_request", "Write a message first.");
  if (question.length <= MAX_QUESTION) return;
  const [length, limit] = [question.length, MAX_QUESTION].map((characters) => characters.toLocaleString("en"));
  const message = `This message has ${length} characters; the limit is ${limit}. Shorten it or send it in parts.`;
  throw new AppError("invalid_request", message);
};

export interface ChatServices extends Pick<Services, "conversations" | "datasets" | "feedback" | "idempotency"> {
  indexes: Pick<Services["indexes"], "names">;
}

/** `/chat`: pages, forms, the stream of an answer, and feedback on it. */
export const chatRoutes = (services: ChatServices) => {
  const { conversations, feedback, idempotency, indexes } = services;
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
    state: Pick<ChatPageProps, "editing" | "typed" | "renamed"> = {},
  ) => {
    const principal = principalOf(request);
    const shown = id ? await read(principal, id) : { conversation: undefined, feedback: new Map() };
    const source = {
      indexes: await indexes.names(principal),
      index: new URL(request.url).searchParams.get("index") ?? undefined,
    };
    const props = { request, principal, ...shown, ...source, history: await historyOf(request), ...state };
    return page(<ChatPage {...props} />, state.typed?.problem || state.renamed ? 422 : 200);
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

  /**
   * Shows a rejected question again, because without scripts the browser doesn't keep it. If another tab has started an
   * answer that this page doesn't show, htmx gets the current turns.
   */
  const orTyped = async (
    request: Request,
    id: string | undefined,
    again: (problem: string) => Promise<Response>,
    ask: () => Promise<Response>,
  ): Promise<Response> => {
    try {
      return await ask();
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      if (!isHtmx(request) && [400, 404, 409].includes(thrown.status)) return again(thrown.message);
      if (!isHtmx(request) || thrown.kind !== "conflict" || id === undefined) throw thrown;
      return html(<OtherBranch {...(await read(principalOf(request), id))} />, 409, REPLACES_TURNS);
    }
  };

  return new Elysia({ name: "views.chat", prefix: "/chat" })
    .guard({ detail: allows("member") })
    .use(feedbackRoutes(services))
    .get("", ({ request }) => (isHtmx(request) ? chatList(request) : chatPage(request)))
    .get("/:id", ({ request, params: { id } }) => (isHtmx(request) ? chatList(request, id) : chatPage(request, id)))
    .post(
      "",
      async ({ request, body }) => {
        const principal = principalOf(request);
        const id = body.conversation || undefined;
        const question = body.question.trim();
        const index = body.index === undefined ? undefined : body.index || null;
        const again = (problem: string) => chatPage(request, id, { typed: { draft: question, problem } });
        return orTyped(request, id, again, async () => {
          assertQuestion(question);
          let generation: Generation | undefined;
          const begun = await idempotency.once(
            onceFor(request, body.once),
            principal,
            { id, question, index },
            async (seal) => {
              const asked = await conversations.ask(
                reducibleAskingOf(request),
                question,
                { conversationId: id, index },
                seal,
              );
              generation = asked.generation;
              return asked.begun;
            },
          );
          const path = `/chat/${begun.conversation_id}`;
          if (!isHtmx(request)) {
            await generation?.whole(request.signal);
            return redirect(request, path);
          }
          const isNew = id === undefined;
          const shown = body.shown ?? "";
          const branch = await read(principal, begun.conversation_id);
          return html(<Asked {...branch} isNew={isNew} shown={shown} />, 200, {
            ...(isNew && { "hx-push-url": path }),
            ...(!isUpToDate(branch.conversation, shown) && REPLACES_TURNS),
          });
        });
      },
      {
        body: Fields({
          conversation: text(100),
          question: t.String(),
          index: text(100),
          once: text(100),
          shown: text(100),
        }),
        detail: runsLong,
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
      { ...form },
    )
    .post(
      "/index",
      async ({ request, body }) => {
        const { conversation: id, index } = body;
        // A new chat sends it with its first question.
        if (id) await conversations.update(principalOf(request), id, { index: index || null });
        return isHtmx(request)
          ? new Response(null, { status: 204, headers: PAGE_HEADERS })
          : redirect(request, id ? `/chat/${id}` : "/chat");
      },
      { body: Fields({ conversation: text(100), index: text(100) }) },
    )
    .get("/:id/answers/:answer", ({ request, params }) => {
      const principal = principalOf(request);
      const states = conversations.follow(principal, params.id, params.answer, request.signal, UPDATE_MS);
      return sseResponse(exchangeOf(request), { pieces: answerMessages(params.id, states), headers: STREAM_HEADERS });
    })
    .post(
      "/:id/answers/:answer/regenerate",
      async ({ request, params: { id, answer } }) => {
        const { generation } = await conversations.regenerate(reducibleAskingOf(request), id, answer);
        // Without scripts, a page can't update itself, so the form's response waits for the complete answer.
        if (!isHtmx(request)) await generation.whole(request.signal);
        return otherBranch(request, id);
      },
      { detail: runsLong },
    )
    .post(
      "/:id/versions",
      async ({ request, params: { id }, body }) => {
        await conversations.select(principalOf(request), id, body.version);
        return otherBranch(request, id);
      },
      { body: Fields({ version: t.String({ maxLength: 100 }) }) },
    )
    .get("/:id/questions/:question", async ({ request, params: { id, question } }) => {
      if (!isHtmx(request)) return chatPage(request, id, { editing: question });
      const { messages } = await conversations.get(principalOf(request), id);
      const message = messages.find((one) => one.id === question && one.role === "user");
      if (!message) throw new AppError("not_found", "This question does not exist, or it was deleted.");
      return html(<QuestionForm conversationId={id} id={question} draft={message.content} />);
    })
    .post(
      "/:id/questions/:question",
      async ({ request, params: { id, question: replaces }, body }) => {
        const question = body.question.trim();
        const again = (problem: string) =>
          chatPage(request, id, { editing: replaces, typed: { draft: question, problem } });
        return orTyped(request, id, again, async () => {
          assertQuestion(question);
          const { generation } = await conversations.ask(reducibleAskingOf(request), question, {
            conversationId: id,
            replaces,
          });
          if (!isHtmx(request)) await generation.whole(request.signal);
          return otherBranch(request, id);
        });
      },
      {
        body: Fields({ question: t.String() }),
        detail: runsLong,
      },
    )
    .post("/:id/questions/:question/delete", async ({ request, params: { id, question } }) => {
      await conversations.removeTurn(principalOf(request), id, question);
      return redirect(request, `/chat/${id}`);
    })
    .post(
      "/:id/rename",
      async ({ request, params, body }) => {
        const title = body.title.trim();
        if (title === "") return chatPage(request, params.id, { renamed: { draft: "", problem: "Enter a name" } });
        await conversations.update(principalOf(request), params.id, { title });
        return redirect(request, `/chat/${params.id}`);
      },
      { body: Fields({ title: t.String({ maxLength: 200 }) }) },
    )
    .post("/:id/delete", async ({ request, params }) => {
      await conversations.remove(principalOf(request), params.id);
      return redirect(request, "/chat");
    });
};
