import type { MachineCost } from "../../gateway/metrics/contract";
import { type Frame, may } from "../layout";
import { Table } from "../ui/lists";
import { number, Time } from "../ui/parts";
import { compact, money, percent, timeSpan } from "../ui/quantities";

const WIDTH = 600;
/** Keys that get their own segment of the bar; the others share one. */
const MAX_PARTS = 4;

/** What the machines cost, split between keys and idle time. */
export const Cost = ({ cost, ...frame }: Frame & { cost: MachineCost }) => {
  const { amount, currency, seconds } = cost;
  const priced = (part: number | null) => (part === null ? "" : money(part, currency));
  return (
    <section id="cost">
      <h2>{amount === null ? "Machine time" : "Cost"}</h2>
      <div class="card cost">
        <p class="cost-total">
          <strong>{amount === null ? timeSpan(seconds) : money(amount, currency)}</strong>{" "}
          <span class="fine">
            {amount === null ? "of machine time" : `for ${timeSpan(seconds)} at ${priced(cost.price_per_hour)} an hour`}
            , since <Time at={cost.from} />
          </span>
        </p>
        <CostBar cost={cost} />
        {amount === null && (
          <p class="hint">
            Set GROUNDWIRE_GPU_PRICE_PER_HOUR to the total hourly price of your machines to see what each key and run
            costs.
          </p>
        )}
        {cost.keys.length > 0 && (
          <Table
            caption="Usage by key"
            rows={cost.keys}
            columns={[
              {
                name: "Key",
                isLong: true,
                cell: ({ key_id, name }) =>
                  may(frame, "admin") ? <a href={`/keys/${key_id}`}>{name ?? key_id}</a> : (name ?? key_id),
              },
              { name: "Time", isNumeric: true, cell: (key) => timeSpan(key.seconds) },
              ...(amount === null
                ? []
                : [{ name: "Cost", isNumeric: true, cell: (key: MachineCost["keys"][number]) => priced(key.amount) }]),
              { name: "For jobs", isNumeric: true, cell: (key) => jobShare(key) },
              { name: "Calls", isNumeric: true, cell: (key) => number(key.requests) },
              { name: "Tokens", isNumeric: true, cell: (key) => compact(key.prompt_tokens + key.completion_tokens) },
            ]}
          />
        )}
        {cost.runs.length > 0 && (
          <Table
            caption="Batch runs"
            rows={cost.runs.slice(0, 10)}
            columns={[
              {
                name: "Batch run",
                isLong: true,
                cell: ({ run_id, name }) => <a href={`/batch-evals/${run_id}`}>{name}</a>,
              },
              { name: "Time", isNumeric: true, cell: (run) => timeSpan(run.seconds) },
              ...(amount === null
                ? []
                : [{ name: "Cost", isNumeric: true, cell: (run: MachineCost["runs"][number]) => priced(run.amount) }]),
            ]}
          />
        )}
        <details class="fold">
          <summary>How this is computed</summary>
          <p class="hint">
            Measured: how long each key’s calls held slots, divided by the number of slots. Unused slots count as idle,
            even while the GPU works on another call. Estimated: the machines are assumed to have been rented the whole
            time, at today’s price. A run’s time is computed from its answers, without judges, and is included in its
            key’s time.
          </p>
        </details>
      </div>
    </section>
  );
};

const jobShare = ({ seconds, job_seconds }: MachineCost["keys"][number]): string =>
  seconds === 0 ? "–" : percent(job_seconds / seconds);

/** The period as one bar: the keys with the most time, the others, and idle time. */
const CostBar = ({ cost }: { cost: MachineCost }) => {
  const others = cost.keys.slice(MAX_PARTS);
  const parts = [
    ...cost.keys.slice(0, MAX_PARTS).map(({ key_id, name, seconds, amount }, i) => {
      return { name: name ?? key_id, seconds, amount, look: `look-${i + 1}` };
    }),
    ...(others.length === 0
      ? []
      : [
          {
            name: `${others.length} more`,
            seconds: others.reduce((sum, { seconds }) => sum + seconds, 0),
            amount: cost.amount === null ? null : others.reduce((sum, key) => sum + (key.amount ?? 0), 0),
            look: "look-5",
          },
        ]),
    { name: "Idle", seconds: cost.idle_seconds, amount: cost.idle_amount, look: "look-idle" },
  ];
  const total = Math.max(1e-9, cost.seconds);
  let x = 0;
  return (
    <>
      <svg class="split" viewBox={`0 0 ${WIDTH} 12`} preserveAspectRatio="none" aria-hidden="true">
        {parts.map(({ seconds, look }) => {
          const from = x;
          x += (seconds / total) * WIDTH;
          return <rect class={look} x={from.toFixed(2)} y="0" width={(x - from).toFixed(2)} height="12" />;
        })}
      </svg>
      <ul class="legend split-legend">
        {parts.map(({ name, seconds, amount, look }) => (
          <li class={look}>
            <span>{name}</span>
            <span class="fine">
              {amount === null ? timeSpan(seconds) : money(amount, cost.currency)}, {percent(seconds / total)}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
};
