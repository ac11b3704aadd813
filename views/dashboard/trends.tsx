import type { Kpis } from "../../gateway/metrics/contract";
import { Chart } from "../ui/chart";
import { Table, withQuery } from "../ui/lists";
import { count, EmptyState, number, rejectedText } from "../ui/parts";
import { compact, latency, percent } from "../ui/quantities";
import { sum } from "./cards";
import type { DashboardWindow } from "./windows";

interface TrendsProps {
  kpis: Kpis;
  window: DashboardWindow;
}

/** "12.4K", "2.5", "0.038": two digits of a number below 10, so that small rates don't become 0. */
const plain = (value: number): string => (value < 10 ? String(Number(value.toPrecision(2))) : compact(value));

export const Trends = ({ kpis, window: { words } }: TrendsProps) => {
  const { series, stages, totals, step_seconds: stepSeconds } = kpis;
  const time = { times: series.map(({ at }) => at), stepSeconds };
  // Steps before the first metrics are unknown, not 0.
  const isKnown = (at: string) => Date.parse(at) + stepSeconds * 1000 > Date.parse(kpis.since);
  const tokens = series.map(({ at, completion_tokens }) => (isKnown(at) ? completion_tokens / stepSeconds : null));
  const perNode = (read: (node: Kpis["nodes"][number]) => number) =>
    series.map(({ nodes }) => (nodes.length === 0 ? null : sum(nodes.map(read))));
  const waiting = perNode(({ max_queue_depth }) => max_queue_depth);
  const longest = Math.max(0, ...waiting.map((value) => value ?? 0));
  return (
    <div class="charts">
      <div id="traffic">
        <Chart
          {...time}
          title="Requests"
          summary={`Requests in ${words}: ${number(totals.requests)}. ${number(totals.server_errors)} failed${rejectedText(totals, ",")}${cancelledText(totals.cancelled)}.`}
          kind="bars"
          format={plain}
          figure={compact(totals.requests)}
          series={[
            {
              name: "Succeeded",
              values: series.map(({ requests, errors, cancelled }) => requests - errors - cancelled),
              look: 1,
            },
            { name: "Failed", values: series.map(({ server_errors }) => server_errors), look: "bad" },
            ...(totals.errors > totals.server_errors
              ? [
                  {
                    name: "Rejected",
                    values: series.map(({ errors, server_errors }) => errors - server_errors),
                    look: 3 as const,
                  },
                ]
              : []),
            ...(totals.cancelled > 0
              ? [
                  {
                    name: "Cancelled by the caller",
                    values: series.map(({ cancelled }) => cancelled),
                    look: 2 as const,
                  },
                ]
              : []),
          ]}
        />
      </div>
      <div id="latency">
        <Chart
          {...time}
          title="Time to first token"
          summary={
            stages.ttft.p50 === null
              ? `No answers in ${words}.`
              : `Time to first token in ${words}: median ${latency(stages.ttft.p50)}, 95 % within ${latency(stages.ttft.p95 ?? 0)}.`
          }
          kind="lines"
          format={latency}
          figure={stages.ttft.p50 === null ? undefined : latency(stages.ttft.p50)}
          series={[
            { name: "Median", values: series.map(({ ttft_ms }) => ttft_ms.p50), look: 1 },
            { name: "95th percentile", values: series.map(({ ttft_ms }) => ttft_ms.p95), look: 2 },
          ]}
        />
      </div>
      <div id="tokens">
        <Chart
          {...time}
          title="Tokens generated per second"
          summary={`${count(totals.completion_tokens, "token")} were generated in ${words}, at most ${plain(Math.max(0, ...tokens.map((value) => value ?? 0)))} per second.`}
          kind="area"
          format={plain}
          figure={`${compact(totals.completion_tokens)} in all`}
          series={[{ name: "Tokens per second", values: tokens, look: 1 }]}
        />
      </div>
      <div id="slots">
        <Chart
          {...time}
          title="Slots and queue"
          summary={`Slots in use and waiting requests in ${words}. At most ${count(longest, "request")} waited.`}
          kind="lines"
          format={plain}
          series={[
            { name: "Slots in use, mean", values: perNode(({ running }) => running), look: 1 },
            { name: "Waiting, highest", values: waiting, look: 2 },
          ]}
        />
      </div>
    </div>
  );
};

const STAGES = [
  ["queue", "Waiting for a slot"],
  ["gateway", "Gateway"],
  ["ttft", "Time to first token"],
  ["generation", "First token to end"],
  ["total", "Whole answer"],
  ["embedding", "Embedding call"],
  ["rerank", "Rerank call"],
] as const;

const latencyCell = (ms: number | null): string => (ms === null ? "–" : latency(ms));

export const Stages = ({ kpis: { stages } }: { kpis: Kpis }) => (
  <section id="stages">
    <h2>Latency by stage</h2>
    <Table
      caption="Latency by stage"
      rows={STAGES.map(([stage, name]) => ({ name, values: stages[stage] }))}
      columns={[
        { name: "Stage", cell: ({ name }) => name },
        { name: "Median", isNumeric: true, cell: ({ values }) => latencyCell(values.p50) },
        { name: "p95", isNumeric: true, cell: ({ values }) => latencyCell(values.p95) },
        { name: "p99", isNumeric: true, cell: ({ values }) => latencyCell(values.p99) },
        { name: "Count", isNumeric: true, cell: ({ values }) => number(values.count) },
      ]}
    />
  </section>
);

const cancelledText = (cancelled: number): string =>
  cancelled === 0 ? "" : `, ${number(cancelled)} cancelled by the caller`;

/** Routes in the table of errors. */
const MAX_ROWS = 10;

/** Errors by code and route, most frequent first. Includes the errors of pages. */
export const Errors = ({ kpis: { routes }, window: { words } }: TrendsProps) => {
  const rows = routes
    .flatMap(({ method, route, requests, errors_by_code }) =>
      Object.entries(errors_by_code).map(([code, errors]) => ({ code, route: `${method} ${route}`, errors, requests })),
    )
    .toSorted((a, b) => b.errors - a.errors);
  return (
    <section id="errors">
      <h2>Errors</h2>
      {rows.length === 0 ? (
        <EmptyState title="No errors">
          <p>Every request in {words} succeeded.</p>
        </EmptyState>
      ) : (
        <>
          <Table
            caption="Errors by code and route"
            rows={rows.slice(0, MAX_ROWS)}
            columns={[
              {
                name: "Code",
                isLong: true,
                cell: ({ code }) => (
                  <a href={withQuery("/requests", { code })}>
                    <code>{code}</code>
                  </a>
                ),
                note: ({ route }) => route,
              },
              { name: "Errors", isNumeric: true, cell: ({ errors }) => number(errors) },
              {
                name: "Share of requests",
                isNumeric: true,
                cell: ({ errors, requests }) => percent(errors / requests),
              },
            ]}
          />
          {rows.length > MAX_ROWS && (
            <p class="hint">{`${count(rows.length - MAX_ROWS, "more row")} in the routes export.`}</p>
          )}
        </>
      )}
    </section>
  );
};
