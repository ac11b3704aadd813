import { type Static, Type } from "@sinclair/typebox";
import { Nullable, Page, Strict } from "../contract";
import { FailureKind, Label } from "../evals/contract";

export const MAX_COMMENT_LENGTH = 10_000;

/** `POST /v1/samples/{id}/labels`: `id` is a result's. The same person and criterion again replaces the label. */
export const AddLabel = Strict(
  {
    metric: Label.properties.metric,
    value: Type.Number({ description: "On the criterion's scale, one of its steps" }),
    failure: Type.Optional(Nullable(FailureKind)),
    comment: Type.Optional(Type.String({ maxLength: MAX_COMMENT_LENGTH })),
    blind: Type.Optional(
      Type.Boolean({
        default: false,
        description: "Given before the evaluator's verdict was seen; counts for your first label of a criterion alone",
      }),
    ),
  },
  { title: "AddLabel", examples: [{ metric: "correctness", value: 1 }] },
);
export type AddLabel = Static<typeof AddLabel>;

export const LabelPage = Page(Label);
export type LabelPage = Static<typeof LabelPage>;
