import type { Static } from "@sinclair/typebox";
import { Elysia, t } from "elysia";
import { textOfInput } from "../../gateway/datasets/content";
import { answerText } from "../../gateway/evals/answer-text";
import type { Criterion, Label, SampleResult } from "../../gateway/evals/contract";
import { MIN_LABELS } from "../../gateway/evals/statistics/calibration";
import type { EvaluatorAgreement } from "../../gateway/evaluators/contract";
import { principalOf } from "../../gateway/http/auth";
import { allows } from "../../gateway/http/route-facts";
import type { Principal } from "../../gateway/principal";
import type { Services } from "../../gateway/services";
import { type Frame, Screen } from "../layout";
import { Fields, type Problems, text } from "../ui/fields";
import { page, redirect } from "../ui/html";
import { Table, withoutEmpty, withQuery } from "../ui/lists";
import { count, EmptyState, Tabs, Texts } from "../ui/parts";
import { type FilledLabels, LabelFields, labelText, readLabels, storeLabels } from "./label-form";
import { metricName, scaleText, valueText, verdictText } from "./words";

const DEFAULT_METRIC = "correctness";

const LabelQuery = Fields({
  metric: text(64),
  run: text(100),
  /** "disagreements": only the run's least certain results. */
  only: text(20),
  /** Id of the previous result in the queue. */
  before: text(100),
  /** Id of the result that has just been labelled. */
  last: text(100),
});

interface Refused {
  resultId: string;
  filled: FilledLabels;
  problems: Problems;
}

/** `/evals/label`: a queue of answers that are labelled before their scores are shown. */
export const labelPageRoutes = ({ agreement, evals, labels }: Pick<Services, "agreement" | "evals" | "labels">) => {
  /** A result with the criterion to label it for; undefined if no evaluator has scored it for that criterion. */
  const judgedBy = async (principal: Principal, metric: string, id: string | undefined) => {
    if (id === undefined) return undefined;
    const criterion = (await labels.criteria(principal, id)).find(({ name }) => name === metric);
    return criterion && { result: (await evals.result(principal, id)).result, criterion };
  };

  const labelled = async (principal: Principal, metric: string, id: string | undefined) => {
    const judged = await judgedBy(principal, metric, id);
    const label = judged?.result.labels.find((own) => own.labelled_by === principal.keyId && own.metric === metric);
    return judged && label && { ...judged, label };
  };

  const showNext = async (request: Request, query: Static<typeof LabelQuery>, refused?: Refused): Promise<Response> => {
    const principal = principalOf(request);
    const metric = query.metric || DEFAULT_METRIC;
    const { run: runId, only, before, last } = withoutEmpty(query);
    const waiting = { metric, runId };
    const disagreements = runId && only ? await labels.disagreements(principal, runId, metric) : undefined;
    const open = disagreements?.filter(({ isLabelled }) => !isLabelled).map(({ id }) => id);
    const passed = disagreements?.findIndex(({ id }) => id === before) ?? -1;
    const nextOpen = disagreements?.slice(passed + 1).find(({ isLabelled }) => !isLabelled)?.id;
    const queued = open ? nextOpen : (await labels.queue(principal, { ...waiting, before, limit: 1 }))[0];
    const id = refused?.resultId ?? queued;
    const next = await judgedBy(principal, metric, id);
    const isEnd = next === undefined && before !== undefined;
    const props = {
      request,
      principal,
      metric,
      metrics: [...new Set([DEFAULT_METRIC, ...(await agreement.metrics()), metric])],
      run: runId,
      only,
      agreement: await agreement.withPeople({ metric }),
      next,
      last: await labelled(principal, metric, last),
      open: open?.length,
      skipped: isEnd
        ? (open?.length ?? (await labels.queue(principal, { ...waiting, limit: MAX_SKIPPED_COUNTED })).length)
        : 0,
      filled: refused?.filled,
      problems: refused?.problems,
    };
    return page(<LabelPage {...props} />, refused ? 422 : 200);
  };

  return new Elysia({ name: "views.evals.label", prefix: "/evals/label" })
    .guard({ detail: allows("editor") })
    .get("", ({ request, query }) => showNext(request, query), {
      query: LabelQuery,
    })
    .post(
      "",
      async ({ request, body }) => {
        const { metric, result: resultId, run, only, skip } = body;
        const next = { metric, run: run || undefined, only: only || undefined, before: resultId };
        if (skip !== undefined) return redirect(request, withQuery("/evals/label", next));
        const missing = "Choose one, or skip this answer";
        const filled = readLabels(body);
        const options = { labels, principal: principalOf(request), resultId, blind: true, missing, isOnly: true };
        const problems = await storeLabels(options, filled, [metric]);
        if (problems) return showNext(request, next, { resultId, filled, problems });
        return redirect(request, withQuery("/evals/label", { ...next, last: resultId }));
      },
      {
        body: Fields({
          metric: t.String({ maxLength: 64 }),
          result: t.String({ maxLength: 100 }),
          run: text(100),
          only: text(20),
          skip: text(100),
        }),
      },
    );
};

/** Maximum number of skipped answers that are counted. */
const MAX_SKIPPED_COUNTED = 100;

interface LabelPageProps extends Frame {
  /** Criterion that is being labelled, and all criteria to choose from. */
  metric: string;
  metrics: readonly string[];
  /** Id of the run whose answers are labelled; if omitted, all runs. */
  run?: string;
  /** "disagreements": only the run's least certain results. */
  only?: string;
  /** Number of the run's disagreements that are left to label; if omitted, all answers are labelled. */
  open?: number;
  next?: { result: SampleResult; criterion: Criterion };
  last?: { result: SampleResult; criterion: Criterion; label: Label };
  /** At the end of the queue, the number of answers still unlabelled, at most `MAX_SKIPPED_COUNTED`. */
  skipped: number;
  /** The fields of a rejected form. */
  filled?: FilledLabels;
  agreement: readonly EvaluatorAgreement[];
  problems?: Problems;
}

/** A queue of answers to label. The evaluators' scores stay hidden until the label is saved. */
const LabelPage = (props: LabelPageProps) => {
  const { metric, metrics, run, only, open, next, last, skipped, agreement, filled, problems = {}, ...frame } = props;
  const title = `Label ${metric.replaceAll("_", " ")}`;
  return (
    <Screen
      {...frame}
      title={title}
      problems={problems}
      trail={run ? [{ path: `/batch-evals/${run}`, name: "Run" }] : [{ path: "/evals", name: "Evaluations" }]}
      note={
        open === undefined
          ? "Label each answer before you see its scores."
          : `These answers have conflicting verdicts, or a score near the threshold. ${count(open, "answer")} left.`
      }
    >
      <Tabs
        label="Criteria"
        tabs={metrics.map((name) => ({
          href: withQuery("/evals/label", { metric: name, run, only }),
          text: metricName(name),
          current: name === metric ? "page" : undefined,
        }))}
      />
      {last && <Revealed {...last} />}
      {next ? (
        <Judge {...next} run={run} only={only} filled={filled} problems={problems} />
      ) : skipped > 0 ? (
        <EmptyState title="End of the list">
          <p>
            You have skipped{" "}
            {skipped < MAX_SKIPPED_COUNTED ? count(skipped, "answer") : `${MAX_SKIPPED_COUNTED} answers or more`}.{" "}
            <a href={withQuery("/evals/label", { metric, run, only })}>Start again</a>
          </p>
        </EmptyState>
      ) : (
        <EmptyState title="Nothing left to label">
          <p>
            {only
              ? `No disagreement about ${metric.replaceAll("_", " ")} is left in this run.`
              : `You have labelled every answer that was scored for ${metric.replaceAll("_", " ")}.`}{" "}
            <a href={run ? `/batch-evals/${run}` : "/evals"}>{run ? "Back to the run" : "Back to the evaluations"}</a>
          </p>
        </EmptyState>
      )}
      <Trust agreement={agreement} metric={metric} />
    </Screen>
  );
};

type JudgeProps = NonNullable<LabelPageProps["next"]> &
  Pick<LabelPageProps, "run" | "only" | "filled"> & { problems: Problems };

const Judge = ({ result, criterion, run, only, filled, problems }: JudgeProps) => (
  <section class="card judge" aria-label="Answer to label">
    <dl class="record">
      <Texts name="Question" texts={[textOfInput(result.input)]} />
      <Texts name="Answer" texts={[answerText(result.output)]} />
      {result.references.length > 0 && <Texts name="Reference answers" texts={result.references} />}
      {result.contexts.length > 0 && <Texts name="Contexts" texts={result.contexts} />}
    </dl>
    <form class="form" method="post" action="/evals/label" novalidate>
      <input type="hidden" name="result" value={result.id} />
      <input type="hidden" name="metric" value={criterion.name} />
      {run && <input type="hidden" name="run" value={run} />}
      {only && <input type="hidden" name="only" value={only} />}
      <LabelFields {...{ criterion, filled, problems }} isOnly />
      <div class="form-end">
        <button type="submit">Save and continue</button>
        <button type="submit" class="secondary" name="skip" value={result.id}>
          Skip
        </button>
      </div>
    </form>
  </section>
);

const Revealed = ({ result, criterion, label }: NonNullable<LabelPageProps["last"]>) => (
  <div class="panel success" role="status">
    <div>
      <h2>Saved: {labelText(criterion, label.value)}</h2>
      {result.scores
        .filter(({ metric }) => metric === label.metric)
        .map((score) => (
          <p>
            {score.evaluator}: {score.value !== null && `${valueText(score.value, score.criterion)}, `}
            {verdictText(score).toLowerCase()}
            {score.shadow && " (comparison only)"}
          </p>
        ))}
      <p>
        <a href={`/evals/${result.run_id}/results/${result.id}`}>Show the full result</a>
      </p>
    </div>
  </div>
);

/** Agreement of the evaluators with people. An evaluator that used two thresholds has a row for each threshold. */
const Trust = ({ agreement, metric }: { agreement: readonly EvaluatorAgreement[]; metric: string }) => {
  const rows = agreement.filter((entry) => entry.metric === metric);
  if (rows.length === 0) return null;
  const isTwice = ({ evaluator }: EvaluatorAgreement) => rows.filter((row) => row.evaluator === evaluator).length > 1;
  return (
    <section aria-labelledby="trust-title">
      <h2 id="trust-title">How well the evaluators agree with people</h2>
      <Table
        caption="Agreement with people"
        rows={rows}
        columns={[
          {
            name: "Evaluator",
            cell: ({ evaluator }) => evaluator,
            note: (row) => (isTwice(row) ? scaleText(row.criterion) : undefined),
          },
          {
            name: "Labels",
            isNumeric: true,
            cell: ({ labels }) => (labels < MIN_LABELS ? `${labels} of ${MIN_LABELS}` : labels),
          },
          { name: "Kappa", cell: ({ agreement: found }) => rateText(found?.kappa) },
          { name: "Sensitivity", cell: ({ agreement: found }) => rateText(found?.sensitivity) },
          { name: "Specificity", cell: ({ agreement: found }) => rateText(found?.specificity) },
          {
            name: "Pass rate",
            isNumeric: true,
            cell: ({ pass_rate: rate }) => (rate === null ? "–" : valueText(rate)),
          },
          { name: "Corrected pass rate", cell: ({ agreement: found }) => rateText(found?.corrected_pass_rate) },
        ]}
      />
      <p class="hint">
        Kappa is agreement beyond chance. Sensitivity is the proportion of answers passed by people that the evaluator
        also passes. Specificity is the proportion of answers failed by people that it also fails. The corrected pass
        rate estimates how many answers people would pass. Each figure needs {MIN_LABELS} labels and has a 95 %
        confidence interval if the data allow one.
      </p>
    </section>
  );
};

const rateText = (
  rate: { value: number; interval: { low: number; high: number } | null } | null | undefined,
): string => {
  if (!rate) return "–";
  const { value, interval } = rate;
  const range = interval && ` (${valueText(interval.low)} to ${valueText(interval.high)})`;
  return `${valueText(value)}${range ?? ""}`;
};
