import { Counter, Gauge, type Registry } from "prom-client";
import type { AnswerCache } from "../cache/service";
import { DEGRADATION_CODES } from "../health/contract";
import type { Degradations } from "../health/degradations";
import type { Jobs } from "../jobs/service";
import type { Engine } from "../ports/engine";

/** Sources that are read for each scrape and each read. */
export interface MetricSources {
  engine: Pick<Engine, "nodes">;
  answers?: Pick<AnswerCache, "counts" | "inFlight">;
  degradations?: Pick<Degradations, "list">;
  jobs?: Pick<Jobs, "backlog">;
}

/** Slots and queues of all nodes that have reported. */
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

/**
 * CPU and memory under Prometheus' usual names. prom-client's default metrics are not used, because its event loop and
 * heap figures are wrong on Bun 1.4.5.
 */
const registerProcess = (registry: Registry): void => {
  const registers = [registry];
  new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time of this process",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Memory of this process",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({ name: "process_start_time_seconds", help: "Start, in seconds since 1970", registers }).set(
    Math.round(performance.timeOrigin / 1000),
  );
};

/** Queued and running tasks from the database, the same on every gateway. */
const registerJobs = (registry: Registry, jobs: Pick<Jobs, "backlog">): void => {
  new Gauge({
    name: "groundwire_jobs_tasks",
    help: "Tasks of jobs that wait for a worker, and that run",
    labelNames: ["state"],
    registers: [registry],
    async collect() {
      const { queued, running } = await jobs.backlog();
      this.set({ state: "queued" }, queued);
      this.set({ state: "running" }, running);
    },
  });
  new Gauge({
    name: "groundwire_jobs_oldest_wait_seconds",
    help: "For how long the oldest task that waits has been due",
    registers: [registry],
    async collect() {
      this.set((await jobs.backlog()).oldestWaitMs / 1000);
    },
  });
};

/** Process, nodes, jobs and cache. Each scrape reads the current figures. */
export const registerGauges = (registry: Registry, sources: MetricSources): void => {
  const registers = [registry];
  const { engine, answers, degradations, jobs } = sources;
  registerProcess(registry);
  if (jobs) registerJobs(registry, jobs);
  const nodeGauge = (name: string, help: string, read: (node: ReturnType<Engine["nodes"]>[number]) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ["node"],
      registers,
      collect() {
        this.reset();
        for (const node of engine.nodes()) this.set({ node: node.id }, read(node));
      },
    });
  nodeGauge("groundwire_node_up", "1 when the node takes requests", ({ state, isDrained }) =>
    !isDrained && (state === "ready" || state === "busy") ? 1 : 0,
  );
  nodeGauge("groundwire_node_outstanding", "Requests of this gateway that run there", (node) => node.outstanding);
  nodeGauge("groundwire_node_queue_depth", "Requests that wait for a slot", (node) => node.readiness?.queue.depth ?? 0);
  nodeGauge("groundwire_node_slots", "Answers that it generates at once", (node) => node.readiness?.slots.total ?? 0);
  nodeGauge("groundwire_node_slots_running", "Slots in use", (node) => node.readiness?.slots.running ?? 0);

  new Gauge({
    name: "groundwire_degraded",
    help: "1 while something is reduced; the codes of /readyz and x-degraded",
    labelNames: ["code"],
    registers,
    collect() {
      const codes = new Set(degradations?.list().map(({ code }) => code));
      for (const code of DEGRADATION_CODES) this.set({ code }, codes.has(code) ? 1 : 0);
    },
  });

  if (!answers) return;
  new Gauge({
    name: "groundwire_cache_in_flight",
    help: "Generations that equal requests may join",
    registers,
    collect() {
      this.set(answers.inFlight());
    },
  });
  new Counter({
    name: "groundwire_cache_writes_total",
    help: "What became of whole answers: stored, skipped (not worth keeping) or failed",
    labelNames: ["result"],
    registers,
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(answers.counts.writes)) this.inc({ result }, count);
    },
  });
};
