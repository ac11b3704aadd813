import type { Db } from "../../db/client";
import { listLabelsFor } from "../../db/labels";
import { findCriteria, listEvaluatorsWithLabels, listFiguresBy, listMetrics, type ScoreFigure } from "../../db/results";
import { AppError } from "../../lib/errors";
import type { Criterion } from "../evals/contract";
import { agreementKappa, calibrate } from "../evals/statistics/calibration";
import type { Decision } from "../evals/statistics/confusion";
import { estimateMean } from "../evals/statistics/estimate";
import { mean } from "../evals/statistics/interval";
import { verdictsOfPeople } from "../evals/summary";
import type { EvaluatorAgreement, ShadowReport } from "./contract";
import { type EvaluatorService, referenceOf } from "./service";

/**
 * Maximum number of unlabelled results. They only affect the pass rate: more of them would hardly narrow its interval,
 * and resampling is slow.
 */
const MAX_UNLABELLED = 2000;
const MAX_FLIPS = 100;
const MAX_EVALUATORS = 100;

export type AgreementService = ReturnType<typeof createAgreement>;

interface AgreementDeps {
  db: Db;
  evaluators: Pick<EvaluatorService, "list" | "get">;
  /** Maximum number of unlabelled results in a report. The newest ones are read. */
  maxUnlabelled?: number;
}

/** One version's score of one result on one criterion, and that result's label. */
interface Judgement extends ScoreFigure {
  criterion: Criterion;
  /** Whether people pass the result on the same criterion; null without a label. */
  label: boolean | null;
}

export const createAgreement = ({ db, evaluators, maxUnlabelled = MAX_UNLABELLED }: AgreementDeps) => {
  /** A version's scores on a criterion name, including replaced ones, oldest first for each result. */
  const judgementsOf = async (evaluator: string, metric: string): Promise<Judgement[]> => {
    const figures = await listFiguresBy(db, { evaluator, metric, maxUnlabelled });
    const hashes = new Set(figures.map(({ criterionHash }) => criterionHash));
    const criteria = await findCriteria(db, [...hashes]);
    const people = verdictsOfPeople(await listLabelsFor(db, evaluator, metric));
    return figures.flatMap((figure) => {
      const criterion = criteria.get(figure.criterionHash) as Criterion | undefined;
      return criterion ? [{ ...figure, criterion, label: people(figure.resultId, criterion) }] : [];
    });
  };

  /** `name@version` of the active and shadow versions, of one evaluator or all. */
  const chosenVersions = async (name?: string): Promise<string[]> => {
    const data =
      name === undefined ? (await evaluators.list({ limit: MAX_EVALUATORS })).data : [await evaluators.get(name)];
    return data.flatMap(({ active, shadow }) => [active, shadow].flatMap((each) => (each ? [referenceOf(each)] : [])));
  };

  return {
    /**
     * Agreement of versions with people, by criterion: first the active and shadow versions, then all others that have
     * scored a labelled result, such as a judge that a request named. `name` and `metric` select one evaluator and
     * criterion. Throws not_found.
     */
    async withPeople({ name, metric }: { name?: string; metric?: string } = {}): Promise<EvaluatorAgreement[]> {
      const found: EvaluatorAgreement[] = [];
      const labelled = (await listEvaluatorsWithLabels(db, metric)).filter(
        (evaluator) => name === undefined || evaluator.startsWith(`${name}@`),
      );
      for (const evaluator of new Set([...(await chosenVersions(name)), ...labelled])) {
        for (const each of metric === undefined ? await listMetrics(db, evaluator) : [metric]) {
          const byCriterion = Map.groupBy(await judgementsOf(evaluator, each), ({ criterionHash }) => criterionHash);
          for (const group of byCriterion.values()) found.push(...toAgreements(evaluator, newest(group)));
        }
      }
      return found;
    },

    /** The names of all criteria that any version has scored. */
    metrics: (): Promise<string[]> => listMetrics(db),

    /** Compares the shadow with the active version. Throws not_found, conflict without a shadow. */
    async shadowReport(name: string): Promise<ShadowReport> {
      const { active, shadow } = await evaluators.get(name);
      if (active === null || shadow === null) {
        const way = `POST /v1/evaluators/${name}/${active === null ? "promote" : "shadow"} chooses one.`;
        throw new AppError("conflict", `"${name}" has no ${active === null ? "active" : "shadow"} version. ${way}`);
      }
      const metrics: ShadowReport["metrics"] = [];
      const flips: ShadowReport["flips"] = [];
      const judged = new Set<string>();
      for (const metric of await listMetrics(db, referenceOf(shadow))) {
        const activeOf = new Map(
          newest(await judgementsOf(referenceOf(active), metric)).map((each) => [each.resultId, each]),
        );
        const pairs = newest(await judgementsOf(referenceOf(shadow), metric)).flatMap((each): Pair[] => {
          const other = activeOf.get(each.resultId);
          return other ? [{ active: other, shadow: each }] : [];
        });
        if (pairs.length === 0) continue;
        for (const { shadow: each } of pairs) judged.add(each.resultId);
        flips.push(...pairs.flatMap(toFlip));
        metrics.push({
          metric,
          ...compare(pairs),
          with_people: {
            active: calibrate(toDecisions(pairs.map((pair) => pair.active))),
            shadow: calibrate(toDecisions(pairs.map((pair) => pair.shadow))),
          },
        });
      }
      return {
        name,
        active: active.version,
        shadow: shadow.version,
        results: judged.size,
        metrics,
        flips: flips.slice(0, MAX_FLIPS),
      };
    },
  };
};

/** The newest value of each result; its error, if it has no value. */
const newest = (judgements: readonly Judgement[]): Judgement[] => {
  const byResult = new Map<string, Judgement>();
  for (const each of judgements) {
    if (each.value !== null || !byResult.has(each.resultId)) byResult.set(each.resultId, each);
  }
  return [...byResult.values()];
};

/** Empty if the version has given no verdict. */
const toAgreements = (evaluator: string, judgements: readonly Judgement[]): EvaluatorAgreement[] => {
  const decisions = toDecisions(judgements);
  const [first] = judgements;
  if (!first || decisions.length === 0) return [];
  return [
    {
      evaluator,
      metric: first.metric,
      criterion: first.criterion,
      results: decisions.length,
      pass_rate: mean(decisions.map(({ decision }) => Number(decision))),
      labels: decisions.filter(({ label }) => label !== null).length,
      agreement: calibrate(decisions),
    },
  ];
};

interface Pair {
  active: Judgement;
  shadow: Judgement;
}

/** Repeats of a sample, and samples of a group, are not independent. */
const groupOf = ({ group, sampleKey }: ScoreFigure): string => group ?? `sample ${sampleKey}`;

const toDecisions = (judgements: readonly Judgement[]): Decision[] =>
  judgements.flatMap((each) =>
    each.passed === null ? [] : [{ decision: each.passed, label: each.label, group: groupOf(each) }],
  );

const compare = (pairs: readonly Pair[]) => {
  const verdicts = pairs.flatMap(({ active, shadow }): Decision[] =>
    active.passed === null || shadow.passed === null
      ? []
      : [{ decision: shadow.passed, label: active.passed, group: groupOf(shadow) }],
  );
  const scored = pairs.filter(({ active, shadow }) => active.value !== null && shadow.value !== null);
  const shifts = scored.map(({ active, shadow }) => (shadow.value ?? 0) - (active.value ?? 0));
  const { value, interval } = estimateMean(shifts, { groups: scored.map(({ shadow }) => groupOf(shadow)) });
  const flips = (to: boolean) => verdicts.filter(({ decision, label }) => decision === to && label === !to).length;
  return {
    kappa: agreementKappa(verdicts),
    mean_shift: value === null ? null : { value, interval },
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
