import type { EvaluationTrend, Kpis } from "../../gateway/metrics/contract";
import { isServerFault } from "../../gateway/metrics/fault-domain";
import { Figure } from "../ui/figure";
import { withQuery } from "../ui/lists";
import { count, number, rejectedText } from "../ui/parts";
import { compact, latency, money, percent, timeSpan } from "../ui/quantities";

/** Model calls: answers, embeddings and rankings. */
export const modelCalls = ({ totals, stages }: Pick<Kpis, "totals" | "stages">): number =>
  totals.answers + stages.embedding.count + stages.rerank.count;

/** The key figures. Each card leads to the list or chart behind it. */
export const Cards = ({ kpis }: { kpis: Kpis }) => {
  const { series, totals, stages } = kpis;
  return (
    <ul class="kpis" aria-label="Key figures">
      <Figure
        href="#traffic"
        name="Answers"
        value={compact(totals.answers)}
        note={[
          stages.embedding.count > 0 && count(stages.embedding.count, "embedding call"),
          stages.rerank.count > 0 && count(stages.rerank.count, "rerank call"),
          `${count(totals.requests, "request")} in total`,
        ]
          .filter(Boolean)
          .join(", ")}
        trend={series.map(({ answers }) => answers)}
      />
      <ErrorCard kpis={kpis} />
      <Figure
        href="#latency"
        name="Time to first token"
        value={stages.ttft.p50 === null ? "–" : latency(stages.ttft.p50)}
        note={stages.ttft.p95 === null ? "No answers yet" : `Median; 95 % within ${latency(stages.ttft.p95)}`}
        trend={series.map(({ ttft_ms }) => ttft_ms.p50)}
      />
      <Figure
        href="#tokens"
        name="Tokens generated"
        value={compact(totals.completion_tokens)}
        note={`and ${compact(totals.prompt_tokens)} read`}
        trend={series.map(({ completion_tokens }) => completion_tokens)}
      />
      <CacheCard kpis={kpis} />
      <NodesCard kpis={kpis} />
      <QualityCard kpis={kpis} />
      <CostCard kpis={kpis} />
    </ul>
  );
};

const ErrorCard = ({ kpis: { totals, series } }: { kpis: Kpis }) => {
  const ours = Object.entries(totals.errors_by_code).filter(([code]) => isServerFault(code));
  const [most] = ours.sort(([, a], [, b]) => b - a);
  return (
    <Figure
      href="#errors"
      name="Error rate"
      value={percent(totals.error_rate)}
      note={`${most ? errorsText(totals.server_errors, ...most) : "No errors"}${rejectedText(totals)}`}
      trend={series.map(({ server_errors }) => server_errors)}
      look={totals.server_errors > 0 ? "bad" : undefined}
    />
  );
};

/** "50 errors, mostly overloaded": names a code only if it caused more than half of the errors. */
const errorsText = (errors: number, code: string, times: number): string => {
  const text = count(errors, "error");
  const name = code.replaceAll("_", " ");
  if (times === errors) return `${text}: ${name}`;
  return times * 2 > errors ? `${text}, mostly ${name}` : text;
};

const CacheCard = ({ kpis: { totals, series } }: { kpis: Kpis }) => {
  const { hit_rate, hits, misses } = totals.cache;
  const served = hits.memory + hits.redis + hits.in_flight;
  return (
    <Figure
      href="#tokens"
      name="Cache hit rate"
      value={hit_rate === null ? "–" : percent(hit_rate)}
      note={hit_rate === null ? "No cacheable calls" : `${number(served)} of ${count(served + misses, "call")}`}
      trend={series.map(({ cache }) => cache.hit_rate)}
    />
  );
};

const NodesCard = ({ kpis: { now, nodes, series } }: { kpis: Kpis }) => {
  const { slots, queue_depth } = now;
  return (
    <Figure
      href="/system#nodes"
      name="Slots in use"
      value={`${number(slots.running)} of ${number(slots.total)}`}
      note={`${number(queue_depth)} waiting now; ${count(nodes.length, "node")}`}
      trend={series.map((point) => (point.nodes.length === 0 ? null : sum(point.nodes.map(({ running }) => running))))}
    />
  );
};

const QualityCard = ({ kpis: { evaluations, now } }: { kpis: Kpis }) => {
  const newest = newestTrend(evaluations);
  const point = newest?.points.at(-1);
  const running = now.running_evals === 0 ? "" : `, ${number(now.running_evals)} running`;
  if (!newest || !point?.pass_rate) {
    return <Figure href="/batch-evals" name="Pass rate" value="–" note={`No finished batch run${running}`} />;
  }
  return (
    <Figure
      href={withQuery("/batch-evals", { dataset: newest.dataset.id, evaluator: newest.evaluator })}
      name="Pass rate"
      value={percent(point.pass_rate.value)}
      note={`${newest.dataset.name}, ${newest.evaluator}${running}`}
      trend={newest.points.map(({ pass_rate }) => pass_rate?.value ?? null)}
    />
  );
};

/** The trend with the newest point that counts towards a verdict. */
const newestTrend = (trends: readonly EvaluationTrend[]): EvaluationTrend | undefined => {
  const timeOf = ({ points }: EvaluationTrend) => points.at(-1)?.at ?? "";
  return trends.filter(({ shadow }) => !shadow).toSorted((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1))[0];
};

const CostCard = ({ kpis: { cost } }: { kpis: Kpis }) => {
  const idle = cost.seconds === 0 ? 1 : cost.idle_seconds / cost.seconds;
  return (
    <Figure
      href="#cost"
      name={cost.amount === null ? "Machine time used" : "Cost"}
      value={cost.amount === null ? timeSpan(cost.seconds - cost.idle_seconds) : money(cost.amount, cost.currency)}
      note={`${percent(idle)} of machine time was idle`}
    />
  );
};

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
