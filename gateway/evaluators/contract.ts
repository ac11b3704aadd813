import { type Static, Type } from "@sinclair/typebox";
import { Count, Nullable, OneOf, Page, Strict, Timestamp } from "../contract";
import { Criterion, FailureKind, JudgeSettings } from "../evals/contract";
import { Agreement, Rate } from "../evals/statistics-contract";

const name = Type.String({ pattern: "^[a-z][a-z0-9_-]{0,63}$" });
const version = Type.Integer({ minimum: 1 });

/** A released version. It never changes and can always be run. */
export const EvaluatorVersion = Type.Object(
  {
    name,
    version,
    state: OneOf(["active", "shadow", "released"], {
      description:
        "active: gives the verdict; shadow: scored, but excluded from the verdict; released: runs if a request names it",
    }),
    kind: OneOf(["reference", "exact", "tool_call", "judge"]),
    description: Type.String(),
    criteria: Type.Array(Criterion),
    judge: Nullable(JudgeSettings),
    hash: Type.String({ description: "sha256 of everything that affects a score" }),
    created_by: Nullable(Type.String(), { description: "null: built in" }),
    created_at: Timestamp,
  },
  { title: "EvaluatorVersion" },
);
export type EvaluatorVersion = Static<typeof EvaluatorVersion>;

export const EvaluatorVersionPage = Page(EvaluatorVersion);

export const Evaluator = Type.Object(
  {
    name,
    active: Nullable(EvaluatorVersion),
    shadow: Nullable(EvaluatorVersion),
    versions: Count(),
  },
  { title: "Evaluator" },
);
export type Evaluator = Static<typeof Evaluator>;

export const EvaluatorPage = Page(Evaluator);

/** `POST /v1/evaluators` creates a judge, or the next version of one. `reference` and `exact` are built in and can't be changed. */
export const CreateEvaluatorVersion = Strict(
  {
    name,
    description: Type.Optional(Type.String({ maxLength: 2000 })),
    criteria: Type.Array(Criterion, { minItems: 1, maxItems: 20 }),
    judge: JudgeSettings,
  },
  {
    title: "CreateEvaluatorVersion",
    examples: [
      {
        name: "politeness",
        criteria: [
          {
            name: "politeness",
            description: "Is the answer polite?",
            scale: { min: 0, max: 1, step: 1 },
            direction: "higher_is_better",
            threshold: 1,
            weight: 1,
          },
        ],
        judge: { model: "smollm2-135m-instruct", prompt: null, votes: 3, temperature: 0, seed: 0 },
      },
    ],
  },
);
export type CreateEvaluatorVersion = Static<typeof CreateEvaluatorVersion>;

/** `POST /v1/evaluators/{name}/shadow` and `…/promote`. */
export const ChooseVersion = Strict(
  { version: Nullable(version, { description: "null: none" }) },
  { title: "ChooseVersion", examples: [{ version: 2 }] },
);

/** Compares the shadow with the active version, on the results that both have judged. */
export const ShadowReport = Type.Object(
  {
    name,
    active: version,
    shadow: version,
    results: Count("Results judged by both"),
    metrics: Type.Array(
      Type.Object({
        metric: Type.String(),
        kappa: Nullable(Rate, { description: "null: both gave every result the same verdict" }),
        mean_shift: Nullable(Rate, { description: "shadow minus active" }),
        to_pass: Count("Failed by the active version, passed by the shadow"),
        to_fail: Count("Passed by the active version, failed by the shadow"),
        shadow_errors: Count(),
        with_people: Type.Object({ active: Nullable(Agreement), shadow: Nullable(Agreement) }),
      }),
    ),
    flips: Type.Array(
      Type.Object({
        result_id: Type.String(),
        metric: Type.String(),
        active: Type.Boolean({ description: "Whether the active version passed it" }),
        shadow: Type.Boolean({ description: "Whether the shadow passed it" }),
        failure: Nullable(FailureKind),
      }),
      { description: "The first 100" },
    ),
  },
  { title: "ShadowReport" },
);
export type ShadowReport = Static<typeof ShadowReport>;

/** How well an evaluator agrees with people on one criterion, for the results that both have judged. */
export const EvaluatorAgreement = Type.Object(
  {
    evaluator: Type.String({ description: "`name@version`" }),
    metric: Type.String(),
    criterion: Criterion,
    results: Count("Results with a verdict by the evaluator: every labelled one, and the newest 2,000 others"),
    pass_rate: Nullable(Type.Number(), { description: "Pass rate of the evaluator's own verdicts; null: no verdicts" }),
    labels: Count("Labelled results; if people disagree, the majority decides"),
    agreement: Nullable(Agreement, { description: "null: fewer than 30 labels" }),
  },
  { title: "EvaluatorAgreement" },
);
export type EvaluatorAgreement = Static<typeof EvaluatorAgreement>;

export const EvaluatorAgreementList = Type.Object(
  { data: Type.Array(EvaluatorAgreement) },
  { title: "EvaluatorAgreementList" },
);
