import type { Log } from "../../lib/log";
import { round } from "../../lib/round";
import { succeedsWithin } from "../../lib/with-timeout";
import { version } from "../../package.json";
import type { Jobs, WorkersState } from "../jobs/service";
import type { Cache, CacheStats } from "../ports/cache";
import type { Engine, NodeView } from "../ports/engine";
import type { Degradation, Dependency, Readiness } from "./contract";
import { type DatabaseAccess, databaseProbe } from "./database";

interface HealthDeps extends DatabaseAccess {
  engine: Pick<Engine, "nodes">;
  cache: Pick<Cache, "stats">;
  jobs: Pick<Jobs, "workers">;
  log: Pick<Log, "warn">;
  now?: () => Date;
}

export const createHealth = ({ engine, cache, jobs, log, now = () => new Date(), ...access }: HealthDeps) => {
  const startedAt = now();
  let isDraining = false;
  const changes = new Map<string, { status: Dependency["status"]; since: Date }>();
  const workers = workersProbe(jobs);
  const degradations = createDegradations({ engine, cache, workers, log });
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

  const database = async (): Promise<Dependency> => {
    const begun = performance.now();
    const reason = (await databaseProblem()) ?? null;
    const isOk = reason === null;
    const latency_ms = isOk ? round(performance.now() - begun, 2) : null;
    return dated({ name: "database", status: isOk ? "ok" : "down", required: true, latency_ms, reason });
  };

  const caches = async (): Promise<Dependency[]> =>
    (await cache.stats()).map(({ layer, status, since, latencyMs }) => ({
      name: `cache:${layer}`,
      status,
      required: false,
      since: since.toISOString(),
      latency_ms: latencyMs === undefined ? null : round(latencyMs, 2),
      reason: status === "ok" ? null : `It ${CACHE_LOST}`,
    }));

  const worker = async (): Promise<Dependency> => {
    const { isAlive } = await workers();
    const reason = isAlive ? null : NO_WORKER;
    return dated({ name: "jobs", status: isAlive ? "ok" : "down", required: false, latency_ms: null, reason });
  };

  /** Used by routes that return 501 in this version. */
  const vectors: Dependency = {
    name: "vectors",
    status: "not_configured",
    required: false,
    since: startedAt.toISOString(),
    latency_ms: null,
    reason: "Not used yet",
  };

  return {
    degradations,

    /** Checks each dependency. The status is `down` if no request can be served, and `draining` after `drain`. */
    async readiness(): Promise<Readiness> {
      const nodes = engine.nodes().map(nodeDependency);
      const [databaseNow, cachesNow, jobsNow, degraded] = await Promise.all([
        database(),
        caches(),
        worker(),
        degradations.refresh(),
      ]);
      const canAnswer = nodes.some(({ status }) => status !== "down");
      const canServe = canAnswer && databaseNow.status !== "down";
      const parts = [...nodes, databaseNow, ...cachesNow, jobsNow];
      const isWhole = degraded.length === 0 && parts.every(({ status }) => status === "ok");
      return {
        status: isDraining ? "draining" : !canServe ? "down" : isWhole ? "ok" : "degraded",
        version,
        started_at: startedAt.toISOString(),
        dependencies: [...parts, vectors],
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
});

/** Timeout of a database check. After it, the last known state is kept. */
const ANSWER_MS = 1000;

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

interface DegradationDeps {
  engine: Pick<Engine, "nodes">;
  cache: Pick<Cache, "stats">;
  workers: () => Promise<WorkersState>;
  log: Pick<Log, "warn">;
}

const REFRESH_MS = 1000;

/** The current degradations. They are cheap enough to read for every response. */
export const createDegradations = ({ engine, cache, workers, log }: DegradationDeps) => {
  const startedAt = new Date();
  let current: readonly Degradation[] = [];
  let header: string | undefined;
  let timer: Timer | undefined;

  /** Checks now, and returns the new list. */
  const refresh = async (): Promise<readonly Degradation[]> => {
    const [caches, worker] = await Promise.all([cache.stats(), workers()]);
    current = [...ofNodes(engine.nodes()), ...ofCache(caches), ...ofWorkers(worker, startedAt)];
    header = current.length > 0 ? current.map(({ code }) => code).join(", ") : undefined;
    return current;
  };

  /** Checks in the background. If a check fails, the last known state is kept. */
  const look = (): void => {
    refresh().catch((error) => log.warn({ err: error }, "could not check for degradations"));
  };

  return {
    list: () => current,
    /** The codes as the value of `x-degraded`; undefined if there are none. */
    header: () => header,
    refresh,
    /** Checks every second until `close`. */
    open() {
      timer ??= setInterval(look, REFRESH_MS).unref();
      look();
    },
    close: () => clearInterval(timer),
  };
};

export type Degradations = ReturnType<typeof createDegradations>;

const NO_WORKER = "No jobs worker is running: dataset uploads wait until one starts";
const CACHE_LOST = "is unreachable: answers are cached only in this gateway";

/** Whether a node in this state gets new requests. A busy node rejects some of them, but it works. */
const takesRequests = (state: NodeView["state"]): boolean => state === "ready" || state === "busy";

const degradation = (code: Degradation["code"], since: Date, reason: string): Degradation => ({
  code,
  since: since.toISOString(),
  reason,
  drill: false,
});

const ofNodes = (nodes: readonly NodeView[]): Degradation[] => {
  const away = nodes
    .filter(({ state }) => !takesRequests(state))
    .toSorted((a, b) => a.since.getTime() - b.since.getTime());
  const [first, last] = [away[0], away.at(-1)];
  if (!first || !last) return [];
  return away.length === nodes.length
    ? [degradation("cached_only", last.since, "No node accepts requests: only cached answers are served")]
    : [degradation("fewer_nodes", first.since, `${away.length} of ${nodes.length} nodes unavailable`)];
};

const ofCache = (layers: readonly CacheStats[]): Degradation[] =>
  layers
    .filter(({ layer, status }) => layer === "redis" && status === "degraded")
    .map(({ since }) => degradation("cache_local", since, `Redis ${CACHE_LOST}`));

const ofWorkers = ({ isAlive, lastBeat }: WorkersState, startedAt: Date): Degradation[] =>
  isAlive ? [] : [degradation("no_jobs", lastBeat ?? startedAt, NO_WORKER)];
