import type { Log } from "../../lib/log";
import type { WorkersState } from "../jobs/service";
import type { Cache, CacheStats } from "../ports/cache";
import type { Engine, NodeView } from "../ports/engine";
import type { Degradation } from "./contract";

interface DegradationDeps {
  engine: Pick<Engine, "nodes">;
  cache: Pick<Cache, "stats">;
  workers: () => Promise<WorkersState>;
  log: Pick<Log, "warn">;
}

const REFRESH_MS = 1000;

/** The current degradations. Cheap enough to read for every response. */
export const createDegradations = ({ engine, cache, workers, log }: DegradationDeps) => {
  const startedAt = new Date();
  let current: readonly Degradation[] = [];
  let header: string | undefined;
  let timer: Timer | undefined;

  /** Checks now and returns the new list. */
  const refresh = async (): Promise<readonly Degradation[]> => {
    const [caches, worker] = await Promise.all([cache.stats(), workers()]);
    current = [...ofNodes(engine.nodes()), ...ofCache(caches), ...ofWorkers(worker, startedAt)];
    header = current.length > 0 ? current.map(({ code }) => code).join(", ") : undefined;
    return current;
  };

  /** If a check fails, the last known state stays. */
  const look = (): void => {
    refresh().catch((error) => log.warn({ err: error }, "could not check for reduced service"));
  };

  return {
    list: () => current,
    /** Their codes as the value of `x-degraded`; undefined if there are none. */
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

/** Reasons that `/readyz` gives for the dependency, too. */
export const NO_WORKER = "No jobs worker is running: dataset uploads have to wait";
export const CACHE_LOST = "can't be reached: answers are kept in this gateway only";

/** Whether new requests go to a node in this state. A busy node refuses some, but it works. */
export const takesRequests = (state: NodeView["state"]): boolean => state === "ready" || state === "busy";

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
    ? [degradation("cached_only", last.since, "No node takes requests: only stored answers are served")]
    : [degradation("fewer_nodes", first.since, `${away.length} of ${nodes.length} nodes take no requests`)];
};

const ofCache = (layers: readonly CacheStats[]): Degradation[] =>
  layers
    .filter(({ layer, status }) => layer === "redis" && status === "degraded")
    .map(({ since }) => degradation("cache_local", since, `Redis ${CACHE_LOST}`));

const ofWorkers = ({ isAlive, lastBeat }: WorkersState, startedAt: Date): Degradation[] =>
  isAlive ? [] : [degradation("no_jobs", lastBeat ?? startedAt, NO_WORKER)];
