import { type Static, Type } from "@sinclair/typebox";
import { Id, Nullable, OneOf, Page, PageQuery, Strict, Timestamp } from "../contract";

const comment = Type.String({ maxLength: 10_000 });
const rating = OneOf(["up", "down"]);

/** `POST /v1/feedback`. With `dataset` (editor role), the exchange becomes a sample in a new revision. */
export const GiveFeedback = Strict(
  {
    request_id: Type.String({ minLength: 1, maxLength: 128, description: "`x-request-id` of the answer" }),
    rating,
    comment: Type.Optional(comment),
    correction: Type.Optional(
      Type.String({
        maxLength: 1_000_000,
        description: "The correct answer, which becomes a reference of the sample",
      }),
    ),
    dataset: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: "Id or name; an unknown name creates a dataset" }),
    ),
  },
  {
    title: "GiveFeedback",
    examples: [
      { request_id: "req_01jd8x1m9k2n3p4q5r6s7t8v9w", rating: "down", correction: "Paris", dataset: "capitals" },
    ],
  },
);
export type GiveFeedback = Static<typeof GiveFeedback>;

export const Feedback = Type.Object(
  {
    id: Id("fb"),
    request_id: Type.String(),
    rating,
    comment: Nullable(comment),
    correction: Nullable(Type.String()),
    sample: Nullable(
      Type.Object({ dataset_id: Id("ds"), revision: Type.Integer({ minimum: 1 }), sample_id: Id("sample") }),
      { description: "The sample that the exchange was stored as" },
    ),
    given_by: Type.String(),
    created_at: Timestamp,
  },
  {
    title: "Feedback",
    examples: [
      {
        id: "fb_01jd8x1m9k2n3p4q5r6s7t8v9w",
        request_id: "req_01jd8x1m9k2n3p4q5r6s7t8v9w",
        rating: "down",
        comment: null,
        correction: "Paris",
        sample: null,
        given_by: "key_4fT9kQ2mXw7R",
        created_at: "2026-11-23T20:15:00.000Z",
      },
    ],
  },
);
export type Feedback = Static<typeof Feedback>;

export const FeedbackPage = Page(Feedback);
export type FeedbackPage = Static<typeof FeedbackPage>;

export const FeedbackQuery = Type.Object({ ...PageQuery.properties, rating: Type.Optional(rating) });
export type FeedbackQuery = Static<typeof FeedbackQuery>;
