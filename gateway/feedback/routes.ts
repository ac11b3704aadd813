import { Elysia } from "elysia";
import { auth } from "../http/auth";
import { allows, creates, fails } from "../http/route-facts";
import type { Idempotency } from "../idempotency/service";
import { Feedback, FeedbackPage, FeedbackQuery, GiveFeedback } from "./contract";
import type { FeedbackService } from "./service";

/** Feedback on answers. */
export const feedbackRoutes = ({ feedback, idempotency }: { feedback: FeedbackService; idempotency: Idempotency }) =>
  new Elysia({ name: "feedback.routes", prefix: "/v1/feedback", tags: ["Feedback"] })
    .use(auth)
    .get("", ({ query }) => feedback.list(query), {
      query: FeedbackQuery,
      response: { 200: FeedbackPage },
      detail: { ...allows("viewer"), summary: "List the feedback, newest first" },
    })
    .post(
      "",
      async ({ principal, exchange, request, body, status }) => {
        const given = await idempotency.once(exchange, principal, body, (seal) =>
          feedback.give(principal, body, seal, request.signal),
        );
        return status(201, given);
      },
      {
        body: GiveFeedback,
        response: { 201: Feedback },
        detail: {
          ...allows("member"),
          summary: "Rate an answer, comment on it or correct it",
          description:
            "New feedback on an answer replaces the same key's earlier feedback. With `dataset` (editor role), the exchange becomes a sample there, in a new revision: the conversation up to the question is the input, the answer is the output, and the correction (or the answer, with thumbs up) is the reference. This only works for answers in your own conversations, because answers from POST /v1/chat are not stored.",
          ...creates,
          ...fails(403, 404, 409, 503),
        },
      },
    );
