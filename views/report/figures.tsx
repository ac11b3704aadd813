import type { Run } from "../../gateway/evals/contract";
import type { Interval, Segment, Statistic } from "../../gateway/evals/statistics-contract";
import { capitalized, FAILURE_WORDS, isPartial, metricName, passRateOf, valueText } from "../evals/words";
import { Table } from "../ui/lists";
import { count, Facts, number } from "../ui/parts";
import { latency, percent, timeSpan } from "../ui/quantities";

/** Names and descriptions of the interval methods, in the order in which they are listed. */
const METHODS: Readonly<Record<Interval["method"], [name: string, about: string]>> = {
  wilson: ["Wilson", "score interval for a rate of independent samples"],
  student_t: ["Student’s t", "interval for a mean of independent samples"],
  bca_bootstrap: ["BCa bootstrap", "bias-corrected and accelerated bootstrap with 10,000 resamples"],
  cluster_robust: ["cluster-robust", "samples of the same group are treated as dependent"],
  cluster_bootstrap: ["cluster bootstrap", "bootstrap that resamples whole groups"],
  order_statistics: ["order statistics", "interval for a percentile of independent samples"],
  asymptotic: ["asymptotic", "normal approximation for kappa"],
};

export const intervalText = ({ low, high, method }: Interval, show: (value: number) => string): string =>
  `${show(low)} to ${show(high)}, ${METHODS[method][0]}`;

/** A figure with its interval below it. */
const withInterval = (value: number | null, interval: Interval | null | undefined, show: (value: number) => string) =>
  value === null ? (
    "–"
  ) : (
    <>
      {show(value)}
      {interval && <small>{intervalText(interval, show)}</small>}
    </>
  );

const plain = (value: number): string => valueText(value);

export interface RunProps {
  run: Run;
}

export const FiguresByCriterion = ({ run: { statistics, verdict } }: RunProps) => {
  const repeats = verdict?.pass_at_k ?? [];
  const hasLabels = statistics.some(({ agreement }) => agreement !== null);
  return (
    <section aria-labelledby="criteria">
      <h2 id="criteria">Criteria</h2>
      {statistics.length === 0 ? (
        <p>Nothing has been scored yet.</p>
      ) : (
        <Table
          caption="Figures by criterion and evaluator"
          rows={statistics}
          columns={[
            {
              name: "Criterion",
              cell: ({ metric, evaluator, shadow }) => (
                <>
                  {metricName(metric)}
                  <small>
                    {evaluator}
                    {shadow && ", comparison only"}
                  </small>
                </>
              ),
            },
            {
              name: "Pass rate",
              cell: ({ pass_rate: rate }) => withInterval(rate?.value ?? null, rate?.interval, percent),
            },
            {
              name: "Mean",
              cell: ({ mean, interval, direction }) => (
                <>
                  {withInterval(mean, interval, plain)}
                  {direction === "lower_is_better" && <small>lower is better</small>}
                </>
              ),
            },
            {
              name: "Samples",
              isNumeric: true,
              cell: ({ n, errors }) => (
                <>
                  {number(n)}
                  {errors > 0 && <small>{number(errors)} not scored</small>}
                </>
              ),
            },
            ...(statistics.some(({ detectable_difference: change }) => change !== null) ? [DETECTABLE] : []),
            ...(hasLabels ? [{ name: "Agreement with labels", cell: agreementCell }] : []),
          ]}
        />
      )}
      {repeats.length > 1 && (
        <>
          <h3>Several answers per sample</h3>
          <Table
            caption="Samples by number of answers"
            rows={repeats}
            columns={[
              { name: "Answers", isNumeric: true, cell: ({ k }) => k },
              { name: "At least one passes (pass@k)", isNumeric: true, cell: ({ any }) => percent(any) },
              { name: "All pass (pass^k)", isNumeric: true, cell: ({ all }) => percent(all) },
              { name: "Samples", isNumeric: true, cell: ({ n }) => number(n) },
            ]}
          />
        </>
      )}
    </section>
  );
};

const DETECTABLE = {
  name: "Detectable change",
  isNumeric: true,
  cell: ({ detectable_difference: change }: Statistic) => (change === null ? "–" : pointsText(change)),
};

const pointsText = (change: number): string => `${(change * 100).toFixed(1)} points`;

const agreementCell = ({ agreement }: Statistic) =>
  agreement?.kappa ? (
    <>
      kappa {valueText(agreement.kappa.value)}
      <small>{count(agreement.labels, "label")}</small>
    </>
  ) : (
    "–"
  );

/** Results by failure kind, most frequent first. */
export const Failures = ({ run: { failures, progress } }: RunProps) => {
  const kinds = Object.entries(failures).sort(([, a], [, b]) => b - a);
  const most = kinds[0]?.[1] ?? 1;
  return (
    <section aria-labelledby="failures">
      <h2 id="failures">Failures</h2>
      {kinds.length === 0 ? (
        <p>No result failed.</p>
      ) : (
        <Table
          caption="Results by failure kind"
          rows={kinds}
          columns={[
            { name: "Kind", cell: ([kind]) => kindText(kind) },
            { name: "Results", isNumeric: true, cell: ([, results]) => number(results) },
            {
              name: "Share",
              isNumeric: true,
              cell: ([, results]) => (
                <>
                  {percent(results / Math.max(1, progress.done))}
                  <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                    <rect width={Math.max(1, Math.round((100 * results) / most))} height="8" rx="2" />
                  </svg>
                </>
              ),
            },
          ]}
        />
      )}
    </section>
  );
};

export const kindText = (kind: string): string =>
  capitalized((FAILURE_WORDS as Readonly<Record<string, string>>)[kind] ?? kind);

export const Segments = ({ segments }: { segments: readonly Segment[] }) => {
  if (segments.length === 0) return null;
  return (
    <section aria-labelledby="segments">
      <h2 id="segments">By tag and group</h2>
      <details class="card">
        <summary>{count(segments.length, "tag or group", "tags and groups")}, largest first</summary>
        <Table
          caption="Figures by tag and group"
          rows={segments}
          columns={[
            { name: "Name", isLong: true, cell: ({ name }) => name },
            { name: "Kind", cell: ({ kind }) => kind },
            {
              name: "Pass rate",
              cell: ({ pass_rate: rate }) => withInterval(rate?.value ?? null, rate?.interval, percent),
            },
            { name: "Mean score", isNumeric: true, cell: ({ mean }) => (mean === null ? "–" : valueText(mean)) },
            { name: "Results", isNumeric: true, cell: ({ results }) => number(results) },
            { name: "Errors", isNumeric: true, cell: ({ errors }) => number(errors) },
          ]}
        />
      </details>
    </section>
  );
};

/** Latency and tokens; nothing if no model was called. */
export const Speed = ({ run: { latency: found, usage, gpu_seconds: gpuSeconds } }: RunProps) =>
  found && (
    <section aria-labelledby="speed">
      <h2 id="speed">Time and tokens</h2>
      <Table
        caption="Latency"
        rows={[
          ["In the queue", found.queue] as const,
          ["Until the first token", found.ttft] as const,
          ["Until the end", found.total] as const,
        ]}
        columns={[
          { name: `${count(found.n, "output")} generated by a model`, cell: ([name]) => name },
          { name: "Median", isNumeric: true, cell: ([, { p50 }]) => latency(p50) },
          { name: "95th percentile", isNumeric: true, cell: ([, { p95 }]) => latency(p95) },
          { name: "99th percentile", isNumeric: true, cell: ([, { p99 }]) => latency(p99) },
        ]}
      />
      <p class="hint">
        {number(usage.prompt_tokens)} prompt tokens and {number(usage.completion_tokens)} completion tokens. Node time:{" "}
        {timeSpan(gpuSeconds)}.
      </p>
    </section>
  );

/** Names the statistics that the report uses. */
export const Methods = ({ run }: RunProps) => {
  const { statistics, segments } = run;
  const rates = [passRateOf(run), ...[...statistics, ...segments].map((each) => each.pass_rate)].flatMap(
    (rate) => rate?.interval ?? [],
  );
  const used = new Set([...rates, ...statistics.flatMap(({ interval }) => interval ?? [])].map(({ method }) => method));
  const isUsed = (method: string): method is Interval["method"] => used.has(method as Interval["method"]);
  return (
    <section aria-labelledby="methods">
      <h2 id="methods">Statistics</h2>
      <Facts
        look="record card"
        rows={[
          ...Object.keys(METHODS)
            .filter(isUsed)
            .map((method) => METHODS[method])
            .map(([name, about]) => [capitalized(name), capitalized(about)] as const),
          [
            "Detectable change",
            !isPartial(run) &&
              "The smallest change in the pass rate that this many samples can detect (power 0.8, level 0.05)",
          ],
          ["Errors", "A result without a verdict is never counted as passed or failed; the bounds show both cases"],
        ]}
      />
      <p class="hint">
        {isPartial(run)
          ? "No figure has an interval, because results are missing: samples run in the dataset’s order, so these are not a random subset."
          : "All intervals are 95 % intervals."}
        {run.pins.repeats > 1 && " The answers to one sample are averaged first."}
      </p>
    </section>
  );
};
