import { Elysia } from "elysia";
import { PageQuery, PathId } from "../contract";
import { Label } from "../evals/contract";
import { auth } from "../http/auth";
import { notImplemented } from "../http/not-implemented";
import { creates, fails } from "../http/route-docs";
import { AddLabel, Feedback, FeedbackPage, FeedbackQuery, GiveFeedback, LabelPage } from "./contract";

export const feedbackRoutes = new Elysia({ name: "feedback.routes", prefix: "/v1", tags: ["Feedback"] })
  .use(auth)
  .get("/feedback", notImplemented("GET /v1/feedback"), {
    query: FeedbackQuery,
    response: { 200: FeedbackPage },
    detail: { summary: "List the feedback, newest first" },
  })
  .post("/feedback", notImplemented("POST /v1/feedback"), {
    parse: "json",
    body: GiveFeedback,
    response: { 201: Feedback },
    detail: {
      summary: "Thumbs, comment or correction on an answer",
      description: "With `dataset` (role editor), the exchange becomes a sample there.",
      ...creates,
      ...fails(404),
    },
  })
  .get("/samples/:id/labels", notImplemented("GET /v1/samples/:id/labels"), {
    params: PathId,
    query: PageQuery,
    response: { 200: LabelPage },
    detail: { summary: "List the human labels of a result" },
  })
  .post("/samples/:id/labels", notImplemented("POST /v1/samples/:id/labels"), {
    parse: "json",
    params: PathId,
    body: AddLabel,
    response: { 201: Label },
    detail: { summary: "Label a result by hand", ...creates },
  });
