import type { EvaluationTrend, Kpis } from "../../gateway/metrics/contract";
import { metricName } from "../evals/words";
import { type ChartSeries, Legend } from "../ui/chart";
import { Table } from "../ui/lists";
import { EmptyState, number, Time } from "../ui/parts";
import { percent } from "../ui/quantities";
import type { DashboardWindow } from "./windows";

const WIDTH = 600;
const HEIGHT = 160;
/** Number of distinct colours and dash patterns; further versions reuse them. */
const LOOKS = 5;

type Point = EvaluationTrend["points"][number];

interface Version {
  trend: EvaluationTrend;
  look: ChartSeries["look"];
}

/** Pass rates of batch runs: one chart per dataset and criterion, one line per evaluator version. */
export const Quality = ({ kpis, window }: { kpis: Kpis; window: DashboardWindow }) => {
  const rated = kpis.evaluations.filter(({ points }) => points.some(({ pass_rate }) => pass_rate !== null));
  const charts = Map.groupBy(rated, ({ dataset, metric }) => JSON.stringify([dataset.id, metric]));
  return (
    <section id="quality">
      <h2>Evaluation quality</h2>
      {charts.size === 0 ? (
        <EmptyState title={`No batch run finished in ${window.words}`}>
          <p>
            A batch run asks a model every question of a dataset and scores the answers. Its pass rate appears here,
            with its interval. <a href="/batch-evals">Go to Runs</a>.
          </p>
        </EmptyState>
      ) : (
        <div class="charts">
          {[...charts.values()].map((trends) => (
            <QualityChart
              versions={trends.map((trend, i) => ({ trend, look: ((i % LOOKS) + 1) as ChartSeries["look"] }))}
              from={Date.parse(kpis.from)}
              to={Date.parse(kpis.to)}
            />
          ))}
        </div>
      )}
    </section>
  );
};

const versionName = ({ evaluator, shadow }: EvaluationTrend): string => (shadow ? `${evaluator} (shadow)` : evaluator);

const QualityChart = ({ versions, from, to }: { versions: Version[]; from: number; to: number }) => {
  const [first] = versions;
  if (!first) return null;
  const { dataset, metric } = first.trend;
  const rows = versions
    .flatMap(({ trend }) => trend.points.map((point) => ({ trend, point })))
    .toSorted((a, b) => (a.point.at < b.point.at ? 1 : -1));
  const newest = rows[0]?.point.pass_rate;
  const title = `${dataset.name}: ${metricName(metric).toLowerCase()}`;
  return (
    <figure class="card chart">
      <figcaption>
        <h3>{title}</h3>
        {newest && <p class="chart-figure">{percent(newest.value)}</p>}
        <Legend
          series={
            versions.length < 2
              ? []
              : versions.map(({ trend, look }) => ({ name: versionName(trend), values: [], look }))
          }
        />
      </figcaption>
      <div class="plot">
        <ol class="axis-y" aria-hidden="true">
          {[1, 0.5, 0].map((value) => (
            <li>{percent(value)}</li>
          ))}
        </ol>
        <div class="canvas">
          <svg
            viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
            preserveAspectRatio="none"
            role="img"
            aria-label={summaryOf(title, rows)}
          >
            <path class="grid" d={`M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} />
            {versions.map((version) => (
              <VersionLine {...version} from={from} to={to} />
            ))}
          </svg>
        </div>
        <ol class="axis-x" aria-hidden="true">
          {[from, (from + to) / 2, to].map((time) => (
            <li>
              <time datetime={new Date(time).toISOString()} data-format={to - from > 172_800_000 ? "day" : "clock"}>
                {new Date(time).toISOString().slice(0, 10)}
              </time>
            </li>
          ))}
        </ol>
      </div>
      <p class="hint">
        Vertical lines show the 95 % interval
        {versions.length > 1 && ". Figures of different evaluator versions aren’t comparable"}.
      </p>
      <details class="values-table">
        <summary>Show as table</summary>
        <Table
          caption={`${title}: pass rates`}
          rows={rows}
          columns={[
            {
              name: "Run",
              isLong: true,
              cell: ({ point }) => <a href={`/batch-evals/${point.run_id}`}>{point.run_name}</a>,
            },
            { name: "When", cell: ({ point }) => <Time at={point.at} /> },
            { name: "Evaluator", cell: ({ trend }) => versionName(trend) },
            { name: "Pass rate", isNumeric: true, cell: ({ point }) => rateText(point) },
            { name: "95 % interval", isNumeric: true, cell: ({ point }) => intervalText(point) },
            { name: "Samples", isNumeric: true, cell: ({ point }) => number(point.n) },
            { name: "Errors", isNumeric: true, cell: ({ point }) => number(point.errors) },
          ]}
        />
      </details>
    </figure>
  );
};

const rateText = ({ pass_rate }: Point): string => (pass_rate ? percent(pass_rate.value) : "–");

const intervalText = ({ pass_rate }: Point): string =>
  pass_rate?.interval ? `${percent(pass_rate.interval.low)} to ${percent(pass_rate.interval.high)}` : "–";

const summaryOf = (title: string, rows: readonly { trend: EvaluationTrend; point: Point }[]): string =>
  `Pass rates of ${title}. Newest: ${rows
    .slice(0, 3)
    .map(({ trend, point }) => `${point.run_name}, ${rateText(point)} by ${versionName(trend)}`)
    .join("; ")}.`;

const VersionLine = ({ trend, look, from, to }: Version & { from: number; to: number }) => {
  const x = ({ at }: Point) => Math.round(((Date.parse(at) - from) / (to - from)) * WIDTH * 10) / 10;
  const y = (value: number) => Math.round((1 - value) * HEIGHT * 10) / 10;
  const points = trend.points.flatMap((point) => (point.pass_rate ? [{ point, rate: point.pass_rate }] : []));
  const intervals = points.flatMap(({ point, rate: { interval } }) =>
    interval ? [`M${x(point)} ${y(interval.low)}V${y(interval.high)}`] : [],
  );
  return (
    <>
      <path class={`interval look-${look}`} d={intervals.join("")} />
      {points.length > 1 && (
        <path
          class={`line look-${look}`}
          d={`M${points.map(({ point, rate }) => `${x(point)} ${y(rate.value)}`).join("L")}`}
        />
      )}
      {points.map(({ point, rate }) => (
        <path class={`dot look-${look}`} d={`M${x(point)} ${y(rate.value)}h.1`}>
          <title>{`${point.run_name}: ${rateText(point)} (${intervalText(point)}), ${versionName(trend)}`}</title>
        </path>
      ))}
    </>
  );
};
