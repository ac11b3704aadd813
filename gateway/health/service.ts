import type { Log } from "../../lib/log";
import { round } from "../../lib/round";
import { succeedsWithin } from "../../lib/with-timeout";
import { version } from "../../package.json";
import type { Jobs, WorkersState } from "../jobs/service";
import type { Cache } from "../ports/cache";
import type { Engine, NodeView } from "../ports/engine";
import type { LedgerStore } from "../ports/ledger";
import { CACHE_LOST, NO_WORKER, takesRequests, type VectorStoreView } from "./causes";
import type { Dependency, Readiness } from "./contract";
import { ANSWER_MS, DATABASE_CODES, type DatabaseAccess, databaseProbe } from "./database-probe";
import { createDegradations, type DrillDeps } from "./degradations";

interface HealthDeps extends DatabaseAccess {
  engine: Pick<Engine, "nodes">;
  cache: Pick<Cache, "stats">;
  jobs: Pick<Jobs, "workers">;
  /** Undefined: vectors are searched in memory. */
  vectors?: VectorStoreView;
  limits: Pick<LedgerStore, "state">;
  drills?: DrillDeps;
  log: Pick<Log, "warn"> & Partial<Pick<Log, "info">>;
  now?: () => Date;
}

export const createHealth = ({
  engine,
  cache,
  jobs,
  vectors,
  drills,
  limits,
  log,
  now = () => new Date(),
  ...access
}: HealthDeps) => {
  const startedAt = now();
  let isDraining = false;
  const changes = new Map<string, { status: Dependency["status"]; since: Date }>();
  const workers = workersProbe(jobs);
  const degradations = createDegradations({ engine, cache, workers, vectors, limits, drills, log });
  const databaseProblem = databaseProbe(access);

  /** Adds the time since which this process has seen the current status. */
  const dated = (dependency: Omit<Dependency, "since">): Dependency => {
    const { name, status } = dependency;
    let change = changes.get(name);
    if (change?.status !== status) {
      change = { status, since: now() };
      changes.set(name, change);
    }
    return { ...dependency, since: change.since.toISOString() };
  };

  const databaseState = async (): Promise<Dependency> => {
    const begun = performance.now();
    const reason = (await databaseProblem()) ?? null;
    const isOk = reason === null;
    const latency_ms = isOk ? round(performance.now() - begun, 2) : null;
    const reason_code = reason === null ? null : (DATABASE_CODES[reason] ?? null);
    return dated({ name: "database", status: isOk ? "ok" : "down", required: true, latency_ms, reason, reason_code });
  };

  const caches = async (): Promise<Dependency[]> =>
    (await cache.stats()).map(({ layer, status, since, latencyMs }) => ({
      name: `cache:${layer}`,
      status,
      required: false,
      since: since.toISOString(),
      latency_ms: latencyMs === undefined ? null : round(latencyMs, 2),
      reason: status === "ok" ? null : `It ${CACHE_LOST}`,
      reason_code: status === "ok" ? null : "unreachable",
    }));

  const worker = async (): Promise<Dependency> => {
    const { isAlive } = await workers();
    const status = isAlive ? "ok" : "down";
    const why = isAlive
      ? { reason: null, reason_code: null }
      : { reason: NO_WORKER, reason_code: "no_worker" as const };
    return dated({ name: "jobs", status, required: false, latency_ms: null, ...why });
  };

  const vectorStore = (): Dependency => {
    const known = vectors?.state();
    return {
      name: "vectors",
      status: known?.status ?? "not_configured",
      required: false,
      since: (known?.since ?? startedAt).toISOString(),
      latency_ms: known?.latencyMs ? round(known.latencyMs, 2) : null,
      reason: known ? known.reason : "Vectors are searched in the gateway's memory",
      reason_code: known?.status === "down" ? "unreachable" : null,
    };
  };

  return {
    degradations,

    /** Checks each dependency. The status is `down` if no request can be served, and `draining` after `drain`. */
    async readiness(): Promise<Readiness> {
      const nodes = engine.nodes().map(nodeDependency);
      const [databaseNow, cachesNow, jobsNow, degraded] = await Promise.all([
        databaseState(),
        caches(),
        worker(),
        degradations.refresh(),
      ]);
      const canAnswer = nodes.some(({ status }) => status !== "down");
      const canServe = canAnswer && databaseNow.status !== "down";
      const parts = [...nodes, databaseNow, ...cachesNow, jobsNow, vectorStore()];
      const isWhole =
        degraded.length === 0 && parts.every(({ status }) => status === "ok" || status === "not_configured");
      return {
        status: isDraining ? "draining" : !canServe ? "down" : isWhole ? "ok" : "degraded",
        version,
        started_at: startedAt.toISOString(),
        dependencies: parts,
        degraded: [...degraded],
      };
    },

    /** From now on, readiness reports that the gateway accepts no new requests. */
    drain() {
      isDraining = true;
    },
  };
};

export type Health = ReturnType<typeof createHealth>;

const REASONS: Record<NodeView["state"], string | null> = {
  ready: null,
  busy: "All slots and the queue are full",
  loading: "The model is loading",
  stuck: "Requests are running, but no tokens arrive",
  draining: "Finishing active requests; accepts no new ones",
  ejected: "Failed several times in a row; will be retried later",
  down: "Unreachable, or its engine failed",
};

const nodeDependency = ({ id, state, since, latencyMs }: NodeView): Dependency => ({
  name: `engine:${id}`,
  status: state === "ready" ? "ok" : takesRequests(state) ? "degraded" : "down",
  required: true,
  since: since.toISOString(),
  latency_ms: latencyMs ?? null,
  reason: REASONS[state],
  reason_code: state === "ready" ? null : state,
});

/** Whether a jobs worker is alive, according to the last response of the database. */
const workersProbe = (jobs: Pick<Jobs, "workers">): (() => Promise<WorkersState>) => {
  let known: WorkersState = { isAlive: false, lastBeat: undefined };
  let asking: Promise<void> | undefined;

  return async () => {
    asking ??= jobs
      .workers()
      .then((workers) => {
        known = workers;
      })
      .finally(() => {
        asking = undefined;
      });
    await succeedsWithin(asking, ANSWER_MS);
    return known;
  };
};
