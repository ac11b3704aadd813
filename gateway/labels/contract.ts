import { type Static, Type } from "@sinclair/typebox";
import { Nullable, Page, Strict } from "../contract";
import { FailureKind, Label } from "../evals/contract";

export const MAX_COMMENT_LENGTH = 10_000;

/**
 * `POST /v1/samples/{id}/labels`, where `id` is a result id. Replaces the caller's earlier label for the same criterion.
 */
export const AddLabel = Strict(
  {
    metric: Label.properties.metric,
    value: Type.Number({ description: "A step of the criterion's scale" }),
    failure: Type.Optional(Nullable(FailureKind, { description: "Only for a value that does not pass" })),
    comment: Type.Optional(Type.String({ maxLength: MAX_COMMENT_LENGTH })),
    blind: Type.Optional(
      Type.Boolean({
        default: false,
        description: "Whether you labelled before seeing the scores. Only stored for your first label for a criterion",
      }),
    ),
  },
  { title: "AddLabel", examples: [{ metric: "correctness", value: 1 }] },
);
export type AddLabel = Static<typeof AddLabel>;

export const LabelPage = Page(Label);
export type LabelPage = Static<typeof LabelPage>;
