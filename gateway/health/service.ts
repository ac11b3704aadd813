import { toAppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { round } from "../../lib/round";
import { succeedsWithin } from "../../lib/with-timeout";
import { version } from "../../package.json";
import type { Jobs, WorkersState } from "../jobs/service";
import type { Cache, CacheStats } from "../ports/cache";
import type { Engine, NodeView } from "../ports/engine";
import type { Degradation, Dependency, Readiness } from "./contract";

interface HealthDeps extends DatabaseAccess {
  engine: Pick<Engine, "nodes">;
  cache: Pick<Cache, "stats">;
  jobs: Pick<Jobs, "workers">;
  /** Undefined: vectors are searched in memory. */
  vectors?: VectorStoreView;
  log: Pick<Log, "warn">;
  now?: () => Date;
}

/** A vector store's last known state. */
interface VectorStoreView {
  state(): { status: "ok" | "down"; since: Date; latencyMs: number | null; reason: string | null };
}

export const createHealth = ({ engine, cache, jobs, vectors, log, now = () => new Date(), ...access }: HealthDeps) => {
  const startedAt = now();
  let isDraining = false;
  const changes = new Map<string, { status: Dependency["status"]; since: Date }>();
  const workers = workersProbe(jobs);
  const degradations = createDegradations({ engine, cache, workers, vectors, log });
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

  const vectorStore = (): Dependency => {
    const known = vectors?.state();
    return {
      name: "vectors",
      status: known?.status ?? "not_configured",
      required: false,
      since: (known?.since ?? startedAt).toISOString(),
      latency_ms: known?.latencyMs ? round(known.latencyMs, 2) : null,
      reason: known ? known.reason : "Vectors are searched in the gateway's memory",
    };
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
});

/** Timeout of a read or write of the database. */
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
  vectors?: VectorStoreView;
  log: Pick<Log, "warn">;
}

const REFRESH_MS = 1000;

/** The current degradations. They are cheap enough to read for every response. */
export const createDegradations = ({ engine, cache, workers, vectors, log }: DegradationDeps) => {
  const startedAt = new Date();
  let current: readonly Degradation[] = [];
  let header: string | undefined;
  let timer: Timer | undefined;

  /** Checks now, and returns the new list. */
  const refresh = async (): Promise<readonly Degradation[]> => {
    const [caches, worker] = await Promise.all([cache.stats(), workers()]);
    const ofVectorStore = ofVectors(vectors?.state());
    current = [...ofNodes(engine.nodes()), ...ofCache(caches), ...ofWorkers(worker, startedAt), ...ofVectorStore];
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

interface DatabaseAccess {
  /** One cheap read. Rejects if the database can't be read. */
  pingDatabase(): Promise<unknown>;
  /** One small write that reaches the disk. Rejects if the database can't be written. */
  writeDatabase(): Promise<unknown>;
}

/** Minimum time between two writes. They only happen on request, because each one syncs the disk. */
const WRITE_EVERY_MS = 3000;
/** A write may wait for other processes. After this time, it counts as failed. */
const MAX_WRITE_MS = 4000;

/**
 * Returns why the database can't be used, or undefined if it can. If called once a second, it detects a database that
 * can be read but not written (a full disk, a read-only file) within five seconds.
 */
export const databaseProbe = (
  { pingDatabase, writeDatabase }: DatabaseAccess,
  now = () => performance.now(),
  answerMs = ANSWER_MS,
) => {
  let writing: Promise<void> | undefined;
  let startedAt = Number.NEGATIVE_INFINITY;
  let problem: string | undefined;

  const write = async (): Promise<void> => {
    try {
      await writeDatabase();
      problem = undefined;
    } catch (thrown) {
      const isFull = toAppError(thrown).kind === "storage_full";
      problem = isFull ? "No disk space left" : "Readable but not writable";
    } finally {
      writing = undefined;
    }
  };

  return async (): Promise<string | undefined> => {
    const isAnswering = await succeedsWithin(pingDatabase(), answerMs);
    if (!isAnswering) return "Not responding";
    if (!writing && now() - startedAt >= WRITE_EVERY_MS) {
      startedAt = now();
      writing = write();
    }
    if (writing) await succeedsWithin(writing, answerMs);
    return writing && now() - startedAt > MAX_WRITE_MS ? "A write is hanging" : problem;
  };
};
const ofVectors = (state: ReturnType<VectorStoreView["state"]> | undefined): Degradation[] =>
  state?.status === "down"
    ? [degradation("keyword_only", state.since, "The vector store is down, so searches use only keywords")]
    : [];
