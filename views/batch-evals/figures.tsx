import type { BatchEval } from "../../gateway/batch-evals/contract";
import type { FailureKind } from "../../gateway/evals/contract";
import type { Interval, Segment, Statistic } from "../../gateway/evals/statistics-contract";
import { capitalized, FAILURE_WORDS, isPartial, metricName, valueText } from "../evals/words";
import { Table, withQuery } from "../ui/lists";
import { Facts, number } from "../ui/parts";
import { compact, latency, money, percent, timeSpan } from "../ui/quantities";
import { intervalText, isEnded } from "./words";

interface FiguresProps {
  run: BatchEval;
}

/** Results by failure kind, most frequent first, with links to their samples. */
export const FailureKinds = ({ run, path }: FiguresProps & { path: string }) => {
  const kinds = Object.entries(run.failures).toSorted(([, a], [, b]) => b - a) as [FailureKind, number][];
  return (
    <section aria-labelledby="failures-title">
      <h2 id="failures-title">What went wrong</h2>
      {kinds.length === 0 ? (
        <p class="nothing">{run.progress.judged > 0 ? "Every answer passed." : "No results yet."}</p>
      ) : (
        <Table
          caption="Results by failure kind"
          rows={kinds}
          columns={[
            {
              name: "Failure",
              isLong: true,
              cell: ([kind]) => (
                <a href={withQuery(`${path}/samples`, { failure: kind })}>{capitalized(FAILURE_WORDS[kind] ?? kind)}</a>
              ),
            },
            { name: "Results", isNumeric: true, cell: ([, results]) => number(results) },
            {
              name: "Share",
              cell: ([, results]) => <Bar share={results / Math.max(1, run.progress.done)} look="bad" />,
              note: ([, results]) => percent(results / Math.max(1, run.progress.done)),
            },
          ]}
        />
      )}
    </section>
  );
};

/** A horizontal bar for a share. The share is also shown as text next to it. */
const Bar = ({ share, look }: { share: number; look: string }) => (
  <svg class={`bar-cell look-${look}`} viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
    <rect width={Math.max(1, share * 100)} height="10" />
  </svg>
);

/** A value with its interval on a line from 0 to 1. Both are also shown as text next to it. */
const IntervalBar = ({ value, interval }: { value: number; interval: Pick<Interval, "low" | "high"> | null }) => {
  const at = (share: number) => 2 + 96 * Math.min(1, Math.max(0, share));
  return (
    <svg class="interval-bar" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
      <path class="grid" d="M2 6H98" />
      {interval && <path class="interval" d={`M${at(interval.low)} 6H${at(interval.high)}`} />}
      <path class="dot" d={`M${at(value)} 6h.1`} />
    </svg>
  );
};

const meanText = ({ mean, interval }: Statistic): string => {
  if (mean === null) return "–";
  return interval ? `${valueText(mean)} (${valueText(interval.low)} to ${valueText(interval.high)})` : valueText(mean);
};

/** Each criterion by each evaluator, those that count towards the verdict first. */
export const Criteria = ({ run }: FiguresProps) => {
  const { statistics } = run;
  if (statistics.length === 0) return null;
  const rows = statistics.toSorted((a, b) => Number(a.shadow) - Number(b.shadow));
  const isCalibrated = rows.some(({ agreement }) => agreement);
  return (
    <section aria-labelledby="criteria-title">
      <h2 id="criteria-title">Criteria</h2>
      <Table
        caption="Results by criterion and evaluator"
        rows={rows}
        columns={[
          {
            name: "Criterion",
            cell: ({ metric }) => metricName(metric),
            note: ({ direction }) => (direction === "lower_is_better" ? "lower is better" : undefined),
          },
          {
            name: "Evaluator",
            cell: ({ evaluator }) => evaluator,
            note: ({ shadow }) => (shadow ? "excluded from the verdict" : undefined),
          },
          {
            name: "Pass rate",
            isNumeric: true,
            cell: ({ pass_rate: rate }) => (rate ? percent(rate.value) : "–"),
            note: ({ pass_rate: rate }) => intervalText(rate),
          },
          {
            name: "0 to 100 %",
            cell: ({ pass_rate: rate }) => rate && <IntervalBar {...rate} />,
          },
          { name: isPartial(run) ? "Mean" : "Mean (95 % interval)", isNumeric: true, cell: meanText },
          { name: "Samples", isNumeric: true, cell: ({ n }) => number(n) },
          {
            name: "Not scored",
            isNumeric: true,
            cell: ({ errors }) => number(errors),
            note: ({ errors, bounds }) =>
              errors > 0 && bounds ? `rate ${percent(bounds.worst)} to ${percent(bounds.best)}` : undefined,
          },
          ...(isCalibrated
            ? [
                {
                  name: "Corrected by labels",
                  isNumeric: true,
                  cell: ({ agreement }: Statistic) => {
                    const rate = agreement?.corrected_pass_rate;
                    return rate ? percent(rate.value) : "–";
                  },
                  note: ({ agreement }: Statistic) =>
                    agreement?.kappa ? `kappa ${valueText(agreement.kappa.value)}` : undefined,
                },
              ]
            : []),
        ]}
      />
      <p class="hint">
        {isPartial(run)
          ? "Intervals are shown once every result exists: samples run in the dataset’s order, so these are not a random subset."
          : "95 % intervals contain the true value in about 95 of 100 runs."}{" "}
        “Not scored” counts errors, which are neither passes nor failures.
        {!isPartial(run) &&
          rows.some(({ clusters }) => clusters !== null) &&
          " Samples of the same group are treated as dependent."}
      </p>
    </section>
  );
};

/** pass@k and pass^k of a run with repeats. */
export const Repeats = ({ run: { verdict } }: FiguresProps) => {
  if (!verdict || verdict.pass_at_k.length === 0) return null;
  return (
    <section aria-labelledby="repeats-title">
      <h2 id="repeats-title">Several answers per sample</h2>
      <Table
        caption="Samples by number of answers"
        rows={verdict.pass_at_k}
        columns={[
          { name: "Answers", isNumeric: true, cell: ({ k }) => k },
          { name: "At least one passes (pass@k)", isNumeric: true, cell: ({ any }) => percent(any) },
          { name: "All pass (pass^k)", isNumeric: true, cell: ({ all }) => percent(all) },
          { name: "Samples", isNumeric: true, cell: ({ n }) => number(n) },
        ]}
      />
    </section>
  );
};

/** Pass rates by tag or by group, with links to their samples. */
export const Segments = ({ run, path, kind }: FiguresProps & { path: string; kind: Segment["kind"] }) => {
  const rows = run.segments.filter((segment) => segment.kind === kind);
  if (rows.length === 0) return null;
  const title = kind === "tag" ? "By tag" : "By group";
  return (
    <section aria-labelledby={`by-${kind}-title`}>
      <h2 id={`by-${kind}-title`}>{title}</h2>
      <Table
        caption={`Pass rates by ${kind}`}
        rows={rows}
        columns={[
          {
            name: capitalized(kind),
            cell: ({ name }) => <a href={withQuery(`${path}/samples`, { [kind]: name })}>{name}</a>,
          },
          {
            name: "Pass rate",
            isNumeric: true,
            cell: ({ pass_rate: rate }) => (rate ? percent(rate.value) : "–"),
            note: ({ pass_rate: rate }) => intervalText(rate),
          },
          { name: "0 to 100 %", cell: ({ pass_rate: rate }) => rate && <IntervalBar {...rate} /> },
          { name: "Mean score", isNumeric: true, cell: ({ mean }) => (mean === null ? "–" : valueText(mean)) },
          { name: "Results", isNumeric: true, cell: ({ results }) => number(results) },
          { name: "Errors", isNumeric: true, cell: ({ errors }) => number(errors) },
        ]}
      />
    </section>
  );
};

export const Latency = ({ run }: FiguresProps) => {
  const { latency: measured } = run;
  const stages = measured
    ? ([
        ["In the queue", measured.queue],
        ["First token", measured.ttft],
        ["Whole answer", measured.total],
      ] as const)
    : [];
  return (
    <section aria-labelledby="latency-title">
      <h2 id="latency-title">How long answers took</h2>
      {measured === null ? (
        <p class="nothing">
          {run.figures_stale && isEnded(run)
            ? "Not computed yet."
            : `No answer was timed${isEnded(run) ? ": answers from the cache and stored outputs have no latency" : ""}.`}
        </p>
      ) : (
        <Table
          caption={`Latency of ${number(measured.n)} answers`}
          rows={stages}
          columns={[
            { name: "Stage", cell: ([name]) => name },
            { name: "Median", isNumeric: true, cell: ([, { p50 }]) => latency(p50) },
            { name: "95 % within", isNumeric: true, cell: ([, { p95 }]) => latency(p95) },
            { name: "99 % within", isNumeric: true, cell: ([, { p99 }]) => latency(p99) },
          ]}
        />
      )}
    </section>
  );
};

/** Tokens, node time, cost, and the answers that took none of them. */
export const Spending = ({ run: { usage, gpu_seconds: gpuSeconds, cost, cached, progress } }: FiguresProps) => {
  if (usage.total_tokens === 0 && !cached) return null;
  return (
    <section aria-labelledby="spending-title">
      <h2 id="spending-title">Usage</h2>
      <Facts
        look="facts-list"
        rows={[
          ["Prompt tokens", compact(usage.prompt_tokens)],
          ["Completion tokens", compact(usage.completion_tokens)],
          ["Node time of all requests", timeSpan(gpuSeconds)],
          ["Cost", cost && money(cost.amount, cost.currency)],
          ["Answers from the cache", cached ? `${number(cached)} of ${number(progress.done)}` : undefined],
        ]}
      />
    </section>
  );
};
