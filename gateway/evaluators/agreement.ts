import type { Db } from "../../db/client";
import { listLabelsFor } from "../../db/labels";
import { listFiguresBy, type ScoreFigure } from "../../db/results";
import { AppError } from "../../lib/errors";
import { BUILT_IN_CRITERIA } from "../evals/rubric";
import { agreementKappa, calibrate } from "../evals/statistics/calibration";
import type { Decision } from "../evals/statistics/confusion";
import { estimateMean } from "../evals/statistics/estimate";
import { mean } from "../evals/statistics/mean";
import { toAgreement, toRate } from "../evals/statistics-wire";
import { type LabelOf, verdictsOfPeople } from "../evals/summary";
import type { EvaluatorAgreement, EvaluatorVersion, ShadowReport } from "./contract";
import { type EvaluatorService, referenceOf } from "./service";

/** Scores of an evaluator that a report looks at, the newest. */
const MOST_FIGURES = 10_000;
const MOST_FLIPS = 100;
const MANY = 100;

export interface AgreementService {
  /** How the active and shadow versions, of all evaluators or one, agree with people, by criterion. Throws not_found. */
  withPeople(name?: string): Promise<EvaluatorAgreement[]>;
  /** How the shadow of an evaluator judges what its active version has judged too. Throws not_found, conflict without a shadow. */
  shadowReport(name: string): Promise<ShadowReport>;
}

interface AgreementDeps {
  db: Db;
  evaluators: Pick<EvaluatorService, "list" | "get">;
}

export const createAgreement = ({ db, evaluators }: AgreementDeps): AgreementService => {
  /** The newest score of each result by each criterion, and what people say of it. */
  const judgedBy = async (version: EvaluatorVersion) => {
    const reference = referenceOf(version);
    const figures = await listFiguresBy(db, [reference], MOST_FIGURES);
    const criteria = [...version.criteria, ...BUILT_IN_CRITERIA];
    const labelOf = verdictsOfPeople(criteria, await listLabelsFor(db, [reference]));
    // Newest first, so the first of a result holds.
    const newest = new Map<string, ScoreFigure>();
    for (const figure of figures) if (!newest.has(idOf(figure))) newest.set(idOf(figure), figure);
    return { figures: [...newest.values()], labelOf };
  };

  return {
    async withPeople(name) {
      const data = name === undefined ? (await evaluators.list({ limit: MANY })).data : [await evaluators.get(name)];
      const found: EvaluatorAgreement[] = [];
      for (const version of data.flatMap(({ active, shadow }) => [active, shadow])) {
        if (version === null) continue;
        const { figures, labelOf } = await judgedBy(version);
        for (const [metric, group] of Map.groupBy(figures, (figure) => figure.metric)) {
          const decisions = toDecisions(group, labelOf);
          if (decisions.length === 0) continue;
          const calibration = calibrate(decisions);
          found.push({
            evaluator: referenceOf(version),
            metric,
            results: decisions.length,
            pass_rate: mean(decisions.map(({ decision }) => Number(decision))),
            labels: decisions.filter(({ label }) => label !== null).length,
            agreement: calibration && toAgreement(calibration),
          });
        }
      }
      return found;
    },

    async shadowReport(name) {
      const { active, shadow } = await evaluators.get(name);
      if (active === null || shadow === null) {
        const way = `POST /v1/evaluators/${name}/${active === null ? "promote" : "shadow"} chooses one.`;
        throw new AppError("conflict", `"${name}" has no ${active === null ? "active" : "shadow"} version. ${way}`);
      }
      const [byActive, byShadow] = [await judgedBy(active), await judgedBy(shadow)];
      const activeOf = new Map(byActive.figures.map((figure) => [idOf(figure), figure]));
      const pairs = byShadow.figures.flatMap((figure): Pair[] => {
        const other = activeOf.get(idOf(figure));
        return other ? [{ active: other, shadow: figure }] : [];
      });
      const metrics = [...Map.groupBy(pairs, ({ shadow: { metric } }) => metric)].map(([metric, group]) => ({
        metric,
        ...compare(group),
        with_people: {
          active: withPeople(
            group.map((pair) => pair.active),
            byActive.labelOf,
          ),
          shadow: withPeople(
            group.map((pair) => pair.shadow),
            byShadow.labelOf,
          ),
        },
      }));
      return {
        name,
        active: active.version,
        shadow: shadow.version,
        results: new Set(pairs.map((pair) => pair.shadow.resultId)).size,
        metrics,
        flips: pairs.flatMap(toFlip).slice(0, MOST_FLIPS),
      };
    },
  };
};

interface Pair {
  active: ScoreFigure;
  shadow: ScoreFigure;
}

const idOf = ({ resultId, metric }: ScoreFigure): string => `${resultId} ${metric}`;

/** Repeats and groups of samples depend on each other. */
const groupOf = ({ group, sampleKey }: ScoreFigure): string => group ?? `sample ${sampleKey}`;

const toDecisions = (figures: readonly ScoreFigure[], labelOf: LabelOf): Decision[] =>
  figures.flatMap((figure) =>
    figure.passed === null
      ? []
      : [{ decision: figure.passed, label: labelOf(figure.resultId, figure.metric), group: groupOf(figure) }],
  );

const withPeople = (figures: readonly ScoreFigure[], labelOf: LabelOf) => {
  const calibration = calibrate(toDecisions(figures, labelOf));
  return calibration && toAgreement(calibration);
};

const compare = (pairs: readonly Pair[]) => {
  const verdicts = pairs.flatMap(({ active, shadow }): Decision[] =>
    active.passed === null || shadow.passed === null
      ? []
      : [{ decision: shadow.passed, label: active.passed, group: groupOf(shadow) }],
  );
  const scored = pairs.filter(({ active, shadow }) => active.value !== null && shadow.value !== null);
  const shifts = scored.map(({ active, shadow }) => (shadow.value ?? 0) - (active.value ?? 0));
  const flips = (to: boolean) => verdicts.filter(({ decision, label }) => decision === to && label === !to).length;
  return {
    kappa: toRate(agreementKappa(verdicts)),
    mean_shift: toRate(estimateMean(shifts, { groups: scored.map(({ shadow }) => groupOf(shadow)) })),
    to_pass: flips(true),
    to_fail: flips(false),
    shadow_errors: pairs.filter(({ shadow }) => shadow.value === null).length,
  };
};

const toFlip = ({ active, shadow }: Pair): ShadowReport["flips"] =>
  active.passed === null || shadow.passed === null || active.passed === shadow.passed
    ? []
    : [
        {
          result_id: shadow.resultId,
          metric: shadow.metric,
          active: active.passed,
          shadow: shadow.passed,
          failure: shadow.failure as ShadowReport["flips"][number]["failure"],
        },
      ];
