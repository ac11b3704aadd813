import type { Criterion, Label, SampleResult } from "../../gateway/evals/contract";
import type { EvaluatorAgreement } from "../../gateway/evaluators/contract";
import { textOfInput } from "../datasets/text";
import { Alerts, type Frame, Heading, Shell } from "../layout";
import { ErrorSummary, type Problems } from "../ui/fields";
import { withQuery } from "../ui/lists";
import { EmptyState } from "../ui/states";
import { Table } from "../ui/table";
import { count } from "../ui/time";
import type { FilledLabel } from "./filled-label";
import { LabelFields } from "./label-form";
import { labelText, metricName, valueText, verdictText } from "./words";

/** Skipped answers that are counted. */
export const MOST_SKIPPED = 100;

/** Labels that a criterion needs until they tell how far an evaluator can be trusted. */
const ENOUGH_LABELS = 30;

interface LabelPageProps extends Frame {
  /** Criterion that is labelled, and those that could be. */
  metric: string;
  metrics: readonly string[];
  /** Of one run alone. */
  run?: string;
  next?: { result: SampleResult; criterion: Criterion };
  /** What the reader has just labelled: now the evaluators' verdicts may be seen. */
  last?: { result: SampleResult; criterion: Criterion; label: Label };
  /** Where none is next: answers that still wait for a label, at most `MOST_SKIPPED`. */
  skipped: number;
  /** A form that was refused. */
  filled?: FilledLabel;
  agreement: readonly EvaluatorAgreement[];
  problems?: Problems;
}

/** One answer after the other, without what the evaluators say of it until the label is given. */
export const LabelPage = ({
  metric,
  metrics,
  run,
  next,
  last,
  skipped,
  agreement,
  filled,
  problems = {},
  ...frame
}: LabelPageProps) => {
  const isRefused = Object.keys(problems).length > 0;
  const title = `Label ${metric.replaceAll("_", " ")}`;
  return (
    <Shell {...frame} title={isRefused ? `Error: ${title}` : title}>
      <ErrorSummary problems={problems} />
      <nav class="trail" aria-label="Where this is">
        <a href="/evals">Evaluations</a>
      </nav>
      <Heading title={title} note="You judge without seeing what the evaluators say. Their verdicts come afterwards." />
      <Alerts />
      <Metrics metric={metric} metrics={metrics} run={run} />
      {last && <Revealed {...last} />}
      {next ? (
        <Judge {...next} run={run} filled={filled} problems={problems} />
      ) : skipped > 0 ? (
        <EmptyState title="This is the end">
          <p>
            You have skipped {skipped < MOST_SKIPPED ? count(skipped, "answer") : `${MOST_SKIPPED} answers or more`}.{" "}
            <a href={withQuery("/evals/label", { metric, run })}>Start again</a>
          </p>
        </EmptyState>
      ) : (
        <EmptyState title="Nothing is left to label">
          <p>
            You have labelled every answer that was scored for {metric.replaceAll("_", " ")}.{" "}
            <a href="/evals">Back to the evaluations</a>
          </p>
        </EmptyState>
      )}
      <Trust agreement={agreement} metric={metric} />
    </Shell>
  );
};

const Metrics = ({ metric, metrics, run }: Pick<LabelPageProps, "metric" | "metrics" | "run">) =>
  metrics.length < 2 ? null : (
    <nav class="tabs" aria-label="Criteria">
      {metrics.map((name) => (
        <a href={withQuery("/evals/label", { metric: name, run })} aria-current={name === metric ? "page" : undefined}>
          {metricName(name)}
        </a>
      ))}
    </nav>
  );

type JudgeProps = NonNullable<LabelPageProps["next"]> & Pick<LabelPageProps, "run" | "filled"> & { problems: Problems };

const Judge = ({ result, criterion, run, filled, problems }: JudgeProps) => (
  <section class="card judge" aria-labelledby="judge-title">
    <h2 id="judge-title">{criterion.description}</h2>
    <dl class="record">
      <Texts name="Question" texts={[textOfInput(result.input)]} />
      <Texts name="Answer" texts={[result.output?.text ?? ""]} />
      {result.references.length > 0 && <Texts name="Counts as correct" texts={result.references} />}
      {result.contexts.length > 0 && <Texts name="Contexts" texts={result.contexts} />}
    </dl>
    <form class="form" method="post" action="/evals/label" novalidate>
      <input type="hidden" name="result" value={result.id} />
      <input type="hidden" name="metric" value={criterion.name} />
      {run && <input type="hidden" name="run" value={run} />}
      <LabelFields criterion={criterion} filled={filled} problems={problems} />
      <div class="form-end">
        <button type="submit">Save and go on</button>
        <button type="submit" class="secondary" name="skip" value={result.id}>
          Skip
        </button>
      </div>
    </form>
  </section>
);

const Texts = ({ name, texts }: { name: string; texts: readonly string[] }) => (
  <div>
    <dt>{name}</dt>
    {texts.map((text) => (
      <dd class="verbatim">{text || <em class="nothing">empty</em>}</dd>
    ))}
  </div>
);

/** What the evaluators had said of the answer before. */
const Revealed = ({ result, criterion, label }: NonNullable<LabelPageProps["last"]>) => (
  <div class="panel success" role="status">
    <div>
      <h2>Saved: {labelText(criterion, label.value)}</h2>
      {result.scores
        .filter(({ metric }) => metric === label.metric)
        .map((score) => (
          <p>
            {score.evaluator} says {score.value === null ? "nothing" : valueText(score.value)}:{" "}
            {verdictText(score).toLowerCase()}
            {score.shadow && ", alongside"}
          </p>
        ))}
      <p>
        <a href={`/evals/${result.run_id}`}>See the whole result</a>
      </p>
    </div>
  </div>
);

/** How far the evaluators agree with people so far. */
const Trust = ({ agreement, metric }: { agreement: readonly EvaluatorAgreement[]; metric: string }) => {
  const told = agreement.filter((entry) => entry.metric === metric);
  if (told.length === 0) return null;
  return (
    <section aria-labelledby="trust-title">
      <h2 id="trust-title">How far the evaluators agree with people</h2>
      <Table
        caption="Agreement with people"
        rows={told}
        columns={[
          { name: "Evaluator", cell: ({ evaluator }) => evaluator },
          {
            name: "Labels",
            isNumeric: true,
            cell: ({ labels }) => (labels < ENOUGH_LABELS ? `${labels} of ${ENOUGH_LABELS}` : labels),
          },
          { name: "Kappa", cell: ({ agreement: found }) => rateText(found?.kappa) },
          { name: "Sensitivity", cell: ({ agreement: found }) => rateText(found?.sensitivity) },
          { name: "Specificity", cell: ({ agreement: found }) => rateText(found?.specificity) },
          { name: "Pass rate", isNumeric: true, cell: ({ pass_rate: rate }) => (rate === null ? "" : valueText(rate)) },
          { name: "Corrected", cell: ({ agreement: found }) => rateText(found?.corrected_pass_rate) },
        ]}
      />
      <p class="hint">
        Sensitivity: of what people pass, the share that the evaluator passes. Specificity: of what people fail, the
        share that it fails. Corrected: the pass rate that follows for all results, with its 95 % interval.
      </p>
    </section>
  );
};

const rateText = (
  rate: { value: number; interval: { low: number; high: number } | null } | null | undefined,
): string => {
  if (!rate) return "";
  const { value, interval } = rate;
  return interval
    ? `${value.toFixed(2)} (${interval.low.toFixed(2)} to ${interval.high.toFixed(2)})`
    : value.toFixed(2);
};
