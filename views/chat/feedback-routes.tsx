import { Elysia, t } from "elysia";
import type { Feedback } from "../../gateway/feedback/contract";
import { principalOf } from "../../gateway/http/auth";
import { allows } from "../../gateway/http/route-facts";
import { hasRole, type Principal } from "../../gateway/principal";
import type { Services } from "../../gateway/services";
import { AppError } from "../../lib/errors";
import type { Problems } from "../ui/fields";
import { Fields } from "../ui/form";
import { html, isHtmx, page } from "../ui/html";
import { FeedbackFields, type FeedbackForm, FeedbackKept, FeedbackPage, filledWith } from "./feedback";
import { MAX_QUESTION } from "./turn";

/** The form for feedback on an answer: below the answer for htmx, otherwise on a separate page. */
export const feedbackRoutes = ({
  conversations,
  datasets,
  feedback,
}: Pick<Services, "conversations" | "datasets" | "feedback">) => {
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

  return new Elysia({ name: "views.chat.feedback" })
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
    );
};
