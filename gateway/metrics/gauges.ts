import { Counter, Gauge, type Registry } from "prom-client";
import { registerProcessMetrics } from "../../lib/process-metrics";
import type { AnswerCache } from "../cache/service";
import { DEGRADATION_CODES } from "../health/contract";
import type { Degradations } from "../health/degradations";
import type { Jobs } from "../jobs/service";
import type { Ledger } from "../limits/ledger";
import type { Engine, NodeView } from "../ports/engine";
import { entryOf, type Measurements, NodeUse, type Slots } from "./measurements";

/** Sources read for each scrape and each `/v1/metrics` request. */
export interface MetricSources {
  engine: Pick<Engine, "nodes">;
  answers?: Pick<AnswerCache, "counts" | "inFlight">;
  degradations?: Pick<Degradations, "has" | "isDrill">;
  jobs?: Pick<Jobs, "backlog">;
  ledger?: Pick<Ledger, "refusals">;
}

/** The slots and queues of all nodes that have reported. */
export const nodeTotals = ({ engine }: MetricSources) => {
  const totals = { queueDepth: 0, slots: 0, running: 0 };
  for (const { readiness } of engine.nodes()) {
    if (!readiness) continue;
    totals.queueDepth += readiness.queue.depth;
    totals.slots += readiness.slots.total;
    totals.running += readiness.slots.running;
  }
  return totals;
};

/** The slots of all nodes that have reported. A node without an embedder has none for embeddings. */
export const slotsOf = ({ engine }: Pick<MetricSources, "engine">): Slots => {
  const slots = { answers: 0, embeddings: 0 };
  for (const { readiness } of engine.nodes()) {
    slots.answers += readiness?.slots.total ?? 0;
    slots.embeddings += readiness?.embeddings?.slots.total ?? 0;
  }
  return slots;
};

/** Whether the node gets requests. A busy one rejects some of them. */
const isUp = ({ state, isDrained }: NodeView): boolean => !isDrained && (state === "ready" || state === "busy");

/** Records the state of every node. A node that is down has no slots. */
export const lookAtNodes = ({ engine }: Pick<MetricSources, "engine">, measured: Measurements): void => {
  for (const node of engine.nodes()) {
    const use = entryOf(measured.nodes, node.id, NodeUse);
    use.looks++;
    if (node.state === "down" || !node.readiness) continue;
    const { slots, queue, machine } = node.readiness;
    if (isUp(node)) use.up++;
    use.slots += slots.total;
    use.running += slots.running;
    use.waiting += queue.depth;
    use.maxWaiting = Math.max(use.maxWaiting, queue.depth);
    if (!machine) continue;
    use.memoryBytes += machine.memory.used_bytes;
    use.memoryLooks++;
  }
};

type Value = readonly [labels: Record<string, string>, value: number];

type Read = () => Value[] | Promise<Value[]>;

interface Target {
  reset(): void;
  inc(labels: Record<string, string>, value: number): void;
}

/** Registers gauges for process, nodes, jobs and cache. Each scrape reads the current values. */
export const registerGauges = (
  registry: Registry,
  { engine, answers, degradations, jobs, ledger }: MetricSources,
): void => {
  const registers = [registry];
  const collect = (read: Read) =>
    async function (this: Target): Promise<void> {
      const values = await read();
      this.reset();
      for (const [labels, value] of values) this.inc(labels, value);
    };
  const gauge = (name: string, help: string, labelNames: string[], read: Read) =>
    new Gauge({ name, help, labelNames, registers, collect: collect(read) });
  const counter = (name: string, help: string, labelNames: string[], read: Read) =>
    new Counter({ name, help, labelNames, registers, collect: collect(read) });

  registerProcessMetrics(registry);

  // These come from the database and are the same on every gateway.
  if (jobs) {
    gauge("groundwire_jobs_tasks", "Queued and running job tasks", ["state"], async () => {
      const { queued, running } = await jobs.backlog();
      return [
        [{ state: "queued" }, queued],
        [{ state: "running" }, running],
      ];
    });
    const waitHelp = "How long the oldest queued task has been due";
    gauge("groundwire_jobs_oldest_wait_seconds", waitHelp, [], async () => {
      return [[{}, (await jobs.backlog()).oldestWaitMs / 1000]];
    });
  }

  const nodeGauge = (name: string, help: string, read: (node: NodeView) => number) =>
    gauge(name, help, ["node"], () => engine.nodes().map((node) => [{ node: node.id }, read(node)]));
  nodeGauge("groundwire_node_up", "1 if the node accepts requests", (node) => (isUp(node) ? 1 : 0));
  nodeGauge("groundwire_node_outstanding", "This gateway's active requests on the node", (node) => node.outstanding);
  nodeGauge("groundwire_node_queue_depth", "Requests waiting for a slot", (node) => node.readiness?.queue.depth ?? 0);
  nodeGauge(
    "groundwire_node_slots",
    "Answers that the node can generate in parallel",
    (node) => node.readiness?.slots.total ?? 0,
  );
  nodeGauge("groundwire_node_slots_running", "Slots in use", (node) => node.readiness?.slots.running ?? 0);

  const perMode = (name: string, help: string, isOn: "has" | "isDrill") =>
    gauge(name, help, ["code"], () => DEGRADATION_CODES.map((code) => [{ code }, degradations?.[isOn](code) ? 1 : 0]));
  perMode("groundwire_degraded", "1 for each current degradation, with the codes of /readyz", "has");
  perMode("groundwire_degraded_drill", "1 for each degraded mode with a running drill", "isDrill");

  if (ledger) {
    const help = "Requests refused by a limit; mode observe: would have been refused if the limit were enforced";
    counter("groundwire_limit_refusals_total", help, ["limit", "scope", "mode"], () =>
      ledger.refusals().map(({ total, ...labels }) => [labels, total]),
    );
  }

  if (!answers) return;
  const joinHelp = "Generations in progress that identical requests can join";
  gauge("groundwire_cache_in_flight", joinHelp, [], () => [[{}, answers.inFlight()]]);
  const writeHelp = "Complete answers by outcome: stored, skipped (not worth storing) or failed";
  counter("groundwire_cache_writes_total", writeHelp, ["result"], () =>
    Object.entries(answers.counts.writes).map(([result, count]) => [{ result }, count]),
  );
};
