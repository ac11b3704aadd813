import { Elysia, t } from "elysia";
import { principalOf } from "../../../gateway/http/auth";
import { exchangeOf } from "../../../gateway/http/exchange";
import { allows, runsLong } from "../../../gateway/http/route-facts";
import { sseResponse } from "../../../gateway/http/sse";
import type { RagQuery } from "../../../gateway/rag/contract";
import type { RagIndex } from "../../../gateway/rag/indexes/contract";
import type { RetrievalSettings } from "../../../gateway/retrieval-contract";
import type { Services } from "../../../gateway/services";
import { AppError } from "../../../lib/errors";
import { reduciblePageCallOf } from "../../asking";
import { frameOf } from "../../layout";
import { Fields, type Problems, text } from "../../ui/fields";
import { html, isHtmx, PAGE_HEADERS, page, redirect } from "../../ui/html";
import { withQuery } from "../../ui/lists";
import { overridesOf, readRetrieval } from "../settings";
import { type Asked, after, newlyAsked, readHistory } from "./asking";
import { FeedbackFields, type FeedbackForm, readSample, Saved, SavedPage } from "./feedback";
import { readFilter } from "./filter";
import { AskFields, type AskForm, AskPage, emptyAskForm, MAX_QUESTION, Next, Result } from "./page";
import { answerMessages } from "./stream";

const { "content-type": _, ...STREAM_HEADERS } = PAGE_HEADERS;
const NO_FEEDBACK: FeedbackForm = { request: "", rating: "", comment: "", dataset: "", expected: "", sample: "" };

export interface AskServices extends Pick<Services, "feedback"> {
  indexes: Pick<Services["indexes"], "get" | "update">;
  rag: Pick<Services["rag"], "events">;
}

/** Asking an index: the explorer, the stream of an answer, and feedback on it. */
export const askRoutes = ({ indexes, rag, feedback }: AskServices) => {
  /** Answers that are being streamed to a page, by the id of their Stop button. */
  const running = new Map<string, { keyId: string; stop: AbortController }>();

  const askPage = (
    request: Request,
    shown: { index: RagIndex; form: AskForm; problems?: Problems; asked?: Asked; notice?: string },
  ): Promise<Response> => {
    const isRefused = shown.problems !== undefined;
    // A rejected form is rendered again as a whole, although its answer would be streamed. Typed text is kept.
    const headers: Record<string, string> =
      isRefused && isHtmx(request) ? { "hx-retarget": "#main", "hx-reselect": "#main", "hx-reswap": "outerMorph" } : {};
    return page(<AskPage {...frameOf(request)} notice="" {...shown} />, isRefused ? 422 : 200, headers);
  };

  const streamed = (request: Request, index: RagIndex, form: AskForm, query: RagQuery): Response => {
    const exchange = exchangeOf(request);
    const { keyId } = principalOf(request);
    const id = crypto.randomUUID();
    const stop = new AbortController();
    running.set(id, { keyId, stop });
    const call = reduciblePageCallOf(request);
    const pieces = async function* () {
      try {
        yield* answerMessages({
          question: form.question,
          indexId: index.id,
          stopPath: `/rag/${index.id}/ask/${id}/stop`,
          requestId: exchange.requestId,
          events: rag.events({ ...call, signal: AbortSignal.any([call.signal, stop.signal]) }, query),
          isStopped: () => stop.signal.aborted,
          result: (asked, answer) => <Result {...frameOf(request)} {...{ index, form, asked, answer }} />,
          next: (asked, answer) => <Next {...{ index, form, asked, answer }} />,
        });
      } finally {
        running.delete(id);
      }
    };
    return sseResponse(exchange, { pieces: pieces(), headers: STREAM_HEADERS });
  };

  const ask = async (request: Request, index: RagIndex, form: AskForm): Promise<Response> => {
    const read = readQuestion(form, index);
    if ("problems" in read) return askPage(request, { index, form, problems: read.problems });
    if (isHtmx(request)) return streamed(request, index, form, read.query);
    let asked = newlyAsked(form.question);
    for await (const event of rag.events(reduciblePageCallOf(request), read.query)) asked = after(asked, event);
    return askPage(request, { index, form, asked });
  };

  const give = async (request: Request, index: RagIndex, form: FeedbackForm): Promise<Response> => {
    const principal = principalOf(request);
    const { rating, dataset: named } = form;
    const comment = form.comment.trim();
    const saved: { rating?: "up" | "down"; dataset?: string } = {};
    if (rating === "up" || rating === "down") {
      const given = { request_id: form.request, rating, ...(comment && { comment }) } as const;
      await feedback.give(principal, given, async () => {}, request.signal);
      saved.rating = rating;
    } else {
      const sample = readSample(form, index);
      if (!sample || named.trim() === "") throw new AppError("invalid_request", "Enter the name of a dataset.");
      const { dataset_id: id } = await feedback.addSample(principal, sample, named.trim(), request.signal);
      saved.dataset = id;
    }
    return isHtmx(request)
      ? html(<Saved {...saved} />)
      : page(<SavedPage {...frameOf(request)} index={index} saved={saved} />);
  };

  return new Elysia({ name: "views.rag.ask" })
    .guard({ detail: allows("member") })
    .get(
      "/:id/ask",
      async ({ request, params, query: { question, done } }) => {
        const index = await indexes.get(principalOf(request), params.id);
        const form = { ...emptyAskForm(index), question: question ?? "" };
        const notice = done === "applied" ? "The index now uses these settings." : "";
        return askPage(request, { index, form, notice });
      },
      { query: Fields({ question: text(MAX_QUESTION), done: text(20) }) },
    )
    .post(
      "/:id/ask",
      async ({ request, params, body }) => {
        const index = await indexes.get(principalOf(request), params.id);
        return ask(request, index, trimmed({ ...emptyAskForm(index), ...body }));
      },
      { body: AskFields, detail: runsLong },
    )
    .post(
      "/:id/ask/:answer/stop",
      ({ request, params }) => {
        const active = running.get(params.answer);
        if (active?.keyId === principalOf(request).keyId) active.stop.abort();
        return isHtmx(request)
          ? new Response(null, { status: 204, headers: PAGE_HEADERS })
          : redirect(request, `/rag/${params.id}/ask`);
      },
      { params: t.Object({ id: t.String(), answer: t.String() }) },
    )
    .post(
      "/:id/ask/apply",
      async ({ request, params, body }) => {
        const principal = principalOf(request);
        const index = await indexes.get(principal, params.id);
        const form = trimmed({ ...emptyAskForm(index), ...body });
        const read = readRetrieval(form, index.retrieval);
        if ("problems" in read) return askPage(request, { index, form, problems: read.problems });
        await indexes.update(principal, index.id, { retrieval: read.settings });
        return isHtmx(request)
          ? html(<>Applied. The index now uses these settings.</>)
          : redirect(request, withQuery(`/rag/${index.id}/ask`, { question: form.question, done: "applied" }));
      },
      { body: AskFields, detail: allows("editor") },
    )
    .post(
      "/:id/ask/feedback",
      async ({ request, params, body }) => {
        const index = await indexes.get(principalOf(request), params.id);
        return give(request, index, { ...NO_FEEDBACK, ...body });
      },
      { body: FeedbackFields },
    );
};

const trimmed = (form: AskForm): AskForm => ({ ...form, question: form.question.trim(), filter: form.filter.trim() });

/** The query in a form, or its errors by field. Settings that are the index's own are left out. */
const readQuestion = (form: AskForm, index: RagIndex): { query: RagQuery } | { problems: Problems } => {
  const problems: Record<string, string> = {};
  const { question } = form;
  if (question === "") problems.question = "Enter a question";
  if (question.length > MAX_QUESTION) problems.question = `Shorten the question to ${MAX_QUESTION} characters`;
  let filter: RagQuery["filter"];
  try {
    filter = readFilter(form.filter);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    problems.filter = error.message;
  }
  const read = readRetrieval(form, index.retrieval);
  if ("problems" in read) Object.assign(problems, read.problems);
  if ("problems" in read || Object.keys(problems).length > 0) return { problems };
  const retrieval: Partial<RetrievalSettings> = overridesOf(read.settings, index.retrieval);
  const history = readHistory(form.history);
  return {
    query: {
      index: index.id,
      question,
      ...(history.length > 0 && { history }),
      ...(filter && { filter }),
      ...(Object.keys(retrieval).length > 0 && { retrieval }),
    },
  };
};
