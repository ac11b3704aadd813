import type { Child } from "hono/jsx";
import { Time } from "./parts";

/** Size of the drawing. The browser stretches it to the width of its box; lines keep their thickness. */
const WIDTH = 600;
const HEIGHT = 160;
/** Space above the highest value, so that its line is not cut off. */
const HEADROOM = 1.04;

export interface ChartSeries {
  name: string;
  /** One per step; null: nothing was measured. */
  values: readonly (number | null)[];
  /** Number of the colour and the dash pattern, from 1; `bad` for failures. */
  look: 1 | 2 | 3 | 4 | 5 | "bad";
}

interface ChartProps {
  title: string;
  /** One sentence with the main figures, instead of the drawing for people who can't see it. */
  summary: string;
  /** Start of each step, in ISO 8601. */
  times: readonly string[];
  stepSeconds: number;
  /** bars: stacked, for counts. area: one filled line. */
  kind: "lines" | "area" | "bars";
  series: readonly ChartSeries[];
  /** Writes a value with its unit. */
  format: (value: number) => string;
  /** Minimum for the top of the scale, such as 1 for shares. */
  atLeast?: number;
  /** The largest figure of the panel, to the right of its title. */
  figure?: Child;
}

/**
 * A panel with a chart and a collapsed table of the same values. `charts.js` shows the table's row under the pointer.
 */
export const Chart = ({
  title,
  summary,
  times,
  stepSeconds,
  kind,
  series,
  format,
  atLeast = 0,
  figure,
}: ChartProps) => {
  const nice = niceTop(Math.max(atLeast, ...sumsOf(kind, series)) * (atLeast === 1 ? 1 : HEADROOM));
  // Bars show counts: an even top makes the middle of the scale a whole number.
  const top = kind === "bars" ? nice + (nice % 2) : nice;
  return (
    <figure class="card chart" data-chart>
      <figcaption>
        <h3>{title}</h3>
        {figure !== undefined && <p class="chart-figure">{figure}</p>}
        <Legend series={series} />
      </figcaption>
      <div class="plot">
        <ol class="axis-y" aria-hidden="true">
          {[top, top / 2, 0].map((value) => (
            <li>{format(value)}</li>
          ))}
        </ol>
        <div class="canvas">
          <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={summary}>
            <path class="grid" d={`M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} />
            {kind === "bars" ? <Bars series={series} top={top} /> : <Lines kind={kind} series={series} top={top} />}
          </svg>
        </div>
        <TimeAxis times={times} stepSeconds={stepSeconds} />
      </div>
      <details class="values-table">
        <summary>Show as table</summary>
        <section class="scroll" tabindex={0} aria-label={`${title}: table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">Time</th>
                {series.map(({ name }) => (
                  <th scope="col" class="numeric">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times.map((at, step) => (
                <tr>
                  <th scope="row">
                    <Time at={at} />
                  </th>
                  {series.map(({ values }) => (
                    <td class="numeric">{valueText(values[step], format)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      </details>
    </figure>
  );
};

export const Legend = ({ series }: Pick<ChartProps, "series">) =>
  series.length < 2 ? null : (
    <ul class="legend">
      {series.map(({ name, look }) => (
        <li class={`look-${look}`}>{name}</li>
      ))}
    </ul>
  );

const valueText = (value: number | null | undefined, format: (value: number) => string): string =>
  value === null || value === undefined ? "–" : format(value);

/** Heights of the stacked bars, or all values. */
const sumsOf = (kind: ChartProps["kind"], series: readonly ChartSeries[]): number[] => {
  const values = series.map((one) => one.values.map((value) => value ?? 0));
  if (kind !== "bars") return values.flat();
  return (values[0] ?? []).map((_, step) => values.reduce((sum, one) => sum + (one[step] ?? 0), 0));
};

/** The next of 1, 2, 4, 5, 6, 8, 10 times a power of ten, so that half of it is a short number too. */
const niceTop = (value: number): number => {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return (NICE.find((factor) => factor * power >= value) ?? 10) * power;
};
const NICE = [1, 2, 4, 5, 6, 8, 10];

const at = (value: number): string => String(Math.round(value * 10) / 10);
const yOf = (value: number, top: number): number => HEIGHT - (value / top) * HEIGHT;

/** Steps without a value interrupt the line. A single value between two such steps becomes a dot. */
const Lines = ({ kind, series, top }: Pick<ChartProps, "kind" | "series"> & { top: number }) => (
  <>
    {series.map(({ values, look }) => {
      const x = (step: number) => (values.length < 2 ? WIDTH / 2 : (step / (values.length - 1)) * WIDTH);
      return runsOf(values).map((run) => {
        const points = run.map(({ step, value }) => `${at(x(step))} ${at(yOf(value, top))}`);
        const [first, last] = [run[0], run.at(-1)];
        if (!first || !last) return null;
        return (
          <>
            {kind === "area" && points.length > 1 && (
              <path
                class={`area look-${look}`}
                d={`M${at(x(first.step))} ${HEIGHT}L${points.join("L")}L${at(x(last.step))} ${HEIGHT}Z`}
              />
            )}
            {points.length === 1 ? (
              <path class={`dot look-${look}`} d={`M${points[0]}h.1`} />
            ) : (
              <path class={`line look-${look}`} d={`M${points.join("L")}`} />
            )}
          </>
        );
      });
    })}
  </>
);

/** Consecutive steps that have a value. */
const runsOf = (values: readonly (number | null)[]): { step: number; value: number }[][] => {
  const runs: { step: number; value: number }[][] = [];
  let isOpen = false;
  for (const [step, value] of values.entries()) {
    if (value !== null && !isOpen) runs.push([]);
    isOpen = value !== null;
    if (value !== null) runs.at(-1)?.push({ step, value });
  }
  return runs;
};

/** One path per series, so that a chart with many steps stays small. */
const Bars = ({ series, top }: Pick<ChartProps, "series"> & { top: number }) => {
  const below: number[] = [];
  return (
    <>
      {series.map(({ values, look }) => {
        const slot = WIDTH / Math.max(1, values.length);
        const bars = values.map((value, step) => {
          if (!value) return "";
          const base = below[step] ?? 0;
          below[step] = base + value;
          const [low, high] = [yOf(base, top), yOf(base + value, top)];
          // Even the smallest count stays visible.
          const height = Math.max(low - high, 1.5);
          return `M${at(step * slot + slot * 0.12)} ${at(low)}v-${at(height)}h${at(slot * 0.76)}v${at(height)}z`;
        });
        return <path class={`bar look-${look}`} d={bars.join("")} />;
      })}
    </>
  );
};

/** Times at the start, the quarters and the end. */
const TimeAxis = ({ times, stepSeconds }: Pick<ChartProps, "times" | "stepSeconds">) => {
  const places = [...new Set([0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * (times.length - 1))))];
  return (
    <ol class="axis-x" aria-hidden="true">
      {places.map((place) => (
        <li>
          <AxisTime at={times[place] ?? ""} isDay={stepSeconds * times.length > 2 * 86_400} />
        </li>
      ))}
    </ol>
  );
};

const SHORT_DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

/** "20:15" or "23 Nov". */
const AxisTime = ({ at: time, isDay }: { at: string; isDay: boolean }) => (
  <time datetime={time} data-format={isDay ? "day" : "clock"}>
    {isDay ? SHORT_DAY.format(new Date(time)) : time.slice(11, 16)}
  </time>
);

interface SparklineProps extends Pick<ChartSeries, "values"> {
  look?: ChartSeries["look"];
  kind?: "lines" | "area";
}

/** A small line chart without axes, next to its figure. */
export const Sparkline = ({ values, look = 1, kind = "area" }: SparklineProps) => {
  const top = Math.max(...values.map((value) => value ?? 0)) * HEADROOM || 1;
  return (
    <svg class="sparkline" viewBox={`0 -3 ${WIDTH} ${HEIGHT + 6}`} preserveAspectRatio="none" aria-hidden="true">
      <Lines kind={kind} series={[{ name: "", values, look }]} top={top} />
    </svg>
  );
};
