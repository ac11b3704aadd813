import type { ComparedRun, Comparison, MetricComparison, RunComparison } from "../../gateway/compare/contract";
import { VERDICT } from "../../gateway/compare/contract";
import { RUNS } from "../batch-evals/run";
import { intervalText } from "../batch-evals/words";
import { metricName, valueText } from "../evals/words";
import { type Frame, Screen } from "../layout";
import type { Problems } from "../ui/fields";
import { Table, withQuery } from "../ui/lists";
import { count, number } from "../ui/parts";
import { latency, percent } from "../ui/quantities";
import { ComparedSamples, type CompareFilter } from "./samples";

interface ComparePageProps extends Frame {
  comparison: Comparison;
  filter: CompareFilter;
  /** Of the filters. */
  problems?: Problems;
}

/** Two to five runs against the first: the result in words, then the figures, then the samples that changed. */
export const ComparePage = ({ comparison, filter, problems = {}, ...frame }: ComparePageProps) => {
  const { runs, comparisons } = comparison;
  const [baseline, ...others] = runs;
  const ids = runs.map(({ run_id }) => run_id);
  return (
    <Screen
      {...frame}
      problems={problems}
      title={others.length === 1 ? `${others[0]?.name} compared` : "Runs compared"}
      heading="Compare runs"
      kind="wide"
      trail={[RUNS]}
      note={
        <>
          Compared with the baseline <a href={`/batch-evals/${baseline?.run_id}`}>{baseline?.name}</a>, on the samples
          that both runs have
        </>
      }
    >
      {comparisons.map((each) => (
        <Result
          comparison={each}
          run={others.find(({ run_id }) => run_id === each.run_id)}
          asBaseline={withQuery("/batch-evals/compare", {
            ...filter,
            runs: [each.run_id, ...ids.filter((id) => id !== each.run_id)].join(","),
          })}
        />
      ))}
      <Variants runs={runs} />
      <Differences comparisons={comparisons} runs={runs} />
      <ComparedSamples comparison={comparison} filter={filter} problems={problems} />
    </Screen>
  );
};

type Verdict = RunComparison["verdict"] | MetricComparison["verdict"];

const VERDICTS: Readonly<Record<Verdict, { text: string; look: string }>> = {
  better: { text: "Better", look: "good" },
  worse: { text: "Worse", look: "bad" },
  mixed: { text: "Better and worse", look: "fair" },
  not_shown: { text: "No difference shown", look: "off" },
  not_comparable: { text: "Not comparable", look: "fair" },
};

interface ResultProps {
  comparison: RunComparison;
  run: ComparedRun | undefined;
  /** Address of the comparison with this run as the baseline. */
  asBaseline: string;
}

/** The verdict on one run in words, and what limits it. */
const Result = ({ comparison, run, asBaseline }: ResultProps) => {
  const { verdict, summary, reason, warnings, pairs } = comparison;
  const { look } = VERDICTS[verdict];
  const limits = [...(reason && !summary.includes(reason.message) ? [reason] : []), ...warnings];
  return (
    <section class="card compared-result" aria-label={`${run?.name}, compared with the baseline`}>
      <h2>
        <a href={`/batch-evals/${comparison.run_id}`}>{run?.name}</a>
      </h2>
      <p class={`compared-summary state ${look}`}>{summary.replaceAll(" %", "\u00a0%")}</p>
      <p class="fine">
        {[count(pairs, "common sample"), ...excludedOf(comparison)].join(" · ")} ·{" "}
        <a href={asBaseline}>Use this run as the baseline</a>
      </p>
      {limits.length > 0 && (
        <ul class="warnings">
          {limits.map(({ message }) => (
            <li>{message}</li>
          ))}
        </ul>
      )}
    </section>
  );
};

/** Samples that don't count. A missing sample is never a pass. */
const excludedOf = ({ only_in_baseline: missing, only_in_run: extra, changed }: RunComparison): string[] =>
  [
    [missing, "only in the baseline"],
    [extra, "only in this run"],
    [changed, "with changed content"],
  ].flatMap(([n, where]) => (Number(n) > 0 ? [`${number(Number(n))} ${where}, not counted`] : []));

/** "+3.1", "−0.4", "0.0" */
const signed = (value: number, digits: number): string => {
  const text = Math.abs(value).toFixed(digits);
  return Number(text) === 0 ? text : `${value < 0 ? "−" : "+"}${text}`;
};

/** The runs side by side, on all of their own samples. */
const Variants = ({ runs }: { runs: readonly ComparedRun[] }) => {
  const change = (value: number | undefined, write: (value: number) => string) =>
    value === undefined || value === 0 ? undefined : `${value < 0 ? "−" : "+"}${write(Math.abs(value))}`;
  return (
    <section aria-labelledby="variants-title">
      <h2 id="variants-title">Runs</h2>
      <Table
        caption="The compared runs"
        rows={runs}
        columns={[
          {
            name: "Run",
            isLong: true,
            cell: ({ run_id, name }) => (
              <>
                <a href={`/batch-evals/${run_id}`}>{name}</a>{" "}
                {run_id === runs[0]?.run_id && <span class="fine">(baseline)</span>}
              </>
            ),
            note: ({ model, dataset, repeats }) =>
              [
                model ?? "stored outputs",
                dataset && `${dataset.name}, revision ${dataset.revision}`,
                repeats > 1 && `${repeats} answers each`,
              ]
                .filter(Boolean)
                .join(" · "),
          },
          {
            name: "Pass rate",
            isNumeric: true,
            cell: ({ pass_rate: rate }) => (rate ? percent(rate.value) : "–"),
            // The first samples of a run are not a random part of the dataset.
            note: ({ pass_rate: rate, missing }) => (missing > 0 ? undefined : intervalText(rate)),
          },
          {
            name: "Samples",
            isNumeric: true,
            cell: ({ samples }) => number(samples),
            note: ({ missing }) => (missing > 0 ? `${number(missing)} not done` : undefined),
          },
          { name: "Errors", isNumeric: true, cell: ({ errors }) => number(errors) },
          {
            name: "First token",
            isNumeric: true,
            cell: ({ latency: took }) => (took ? latency(took.ttft.p50) : "–"),
            note: ({ change: by }) => change(by?.ttft_p50, latency),
          },
          {
            name: "Answer",
            isNumeric: true,
            cell: ({ latency: took }) => (took ? latency(took.total.p50) : "–"),
            note: ({ change: by }) => change(by?.latency_p50, latency),
          },
          {
            name: "95 % within",
            isNumeric: true,
            cell: ({ latency: took }) => (took ? latency(took.total.p95) : "–"),
            note: ({ change: by }) => change(by?.latency_p95, latency),
          },
          {
            name: "Tokens",
            isNumeric: true,
            cell: ({ tokens }) => (tokens ? number(Math.round(tokens.completion)) : "–"),
            note: ({ change: by }) => change(by ? Math.round(by.completion_tokens) : undefined, number),
          },
        ]}
      />
      <p class="hint">
        Median time to the first token and to the end of the answer, and mean tokens per answer. The difference from the
        baseline is below each figure.
      </p>
    </section>
  );
};

interface DifferenceRow {
  run: string;
  compared: MetricComparison;
}

const amount = ({ of }: MetricComparison, value: number | null): string =>
  value === null ? "–" : of === "pass_rate" ? percent(value) : valueText(value);
const difference = ({ of }: MetricComparison, value: number): string =>
  of === "pass_rate" ? signed(value * 100, 1) : signed(value, 3);

/** Every criterion of every run against the baseline, with interval and test. */
const Differences = ({ comparisons, runs }: Pick<Comparison, "comparisons" | "runs">) => {
  const nameOf = (id: string): string => runs.find(({ run_id }) => run_id === id)?.name ?? id;
  const rows = comparisons.flatMap(({ run_id, metrics }) =>
    metrics.map((compared): DifferenceRow => ({ run: nameOf(run_id), compared })),
  );
  if (rows.length === 0) return null;
  return (
    <section aria-labelledby="differences-title">
      <h2 id="differences-title">Differences from the baseline</h2>
      <Table
        caption="Differences by criterion"
        rows={rows}
        columns={[
          {
            name: "Criterion",
            cell: ({ compared: { metric } }) => (metric === VERDICT ? "Verdict" : metricName(metric)),
            note: ({ compared: { evaluator, shadow } }) =>
              [evaluator, shadow && "for comparison only"].filter(Boolean).join(", ") || undefined,
          },
          ...(comparisons.length > 1 ? [{ name: "Run", isLong: true, cell: ({ run }: DifferenceRow) => run }] : []),
          {
            name: "Result",
            cell: ({ compared: { verdict } }) => (
              <span class={`state ${VERDICTS[verdict].look}`}>{VERDICTS[verdict].text}</span>
            ),
            note: ({ compared: { reason } }) => reason?.message,
          },
          { name: "Baseline", isNumeric: true, cell: ({ compared }) => amount(compared, compared.baseline) },
          { name: "This run", isNumeric: true, cell: ({ compared }) => amount(compared, compared.value) },
          {
            name: "Difference",
            isNumeric: true,
            cell: ({ compared }) => (compared.difference === null ? "–" : difference(compared, compared.difference)),
            note: ({ compared }) =>
              compared.interval
                ? `${difference(compared, compared.interval.low)} to ${difference(compared, compared.interval.high)}`
                : undefined,
          },
          {
            name: "p",
            isNumeric: true,
            cell: ({ compared: { p_adjusted: p } }) => (p === null ? "–" : p < 0.001 ? "< 0.001" : p.toFixed(3)),
          },
          { name: "Better", isNumeric: true, cell: ({ compared: { better } }) => number(better) },
          { name: "Worse", isNumeric: true, cell: ({ compared: { worse } }) => number(worse) },
          {
            name: "Samples",
            isNumeric: true,
            cell: ({ compared: { n } }) => number(n),
            note: ({ compared: { errors } }) => (errors > 0 ? `${number(errors)} without a value` : undefined),
          },
        ]}
      />
      <p class="hint">
        Rates differ by percentage points, with 95 % intervals. p is the chance of such a difference between equal runs,
        adjusted for the number of comparisons; below 0.05, a difference counts as shown.
      </p>
    </section>
  );
};
