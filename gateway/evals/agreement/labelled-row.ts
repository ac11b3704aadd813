import { type Static, Type } from "@sinclair/typebox";
import { Nullable } from "../../contract";

const common = {
  id: Type.String({ minLength: 1 }),
  /** Question or source document: rows that share it depend on each other. */
  group: Type.String({ minLength: 1 }),
  answer: Type.String(),
  /** 1: people found the answer correct, or faithful to its context. */
  label: Type.Union([Type.Literal(0), Type.Literal(1)]),
};

const span = Type.Object({
  start: Type.Integer({ minimum: 0 }),
  end: Type.Integer({ minimum: 0 }),
  text: Type.Optional(Type.String()),
});

/** A line of a file of answers that people have judged. Other fields are ignored. */
export const LabelledRow = Type.Union([
  Type.Object({
    ...common,
    task: Type.Literal("correctness"),
    question: Type.String(),
    references: Type.Array(Type.String(), { minItems: 1 }),
  }),
  Type.Object({
    ...common,
    task: Type.Literal("faithfulness"),
    question: Nullable(Type.String()),
    context: Type.String(),
    /** What people marked as unsupported in the answer; left out: they marked no spans. */
    spans: Type.Optional(Type.Array(span)),
  }),
]);
export type LabelledRow = Static<typeof LabelledRow>;
