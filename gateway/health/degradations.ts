import type { Log } from "../../lib/log";
import type { WorkersState } from "../jobs/service";
import type { Cache, CacheStats } from "../ports/cache";
import type { Engine, NodeView } from "../ports/engine";
import type { Degradation } from "./contract";

/** The current degradations. Cheap enough to read for every response. */
export interface Degradations {
  list(): readonly Degradation[];
  /** Their codes as the value of `x-degraded`; undefined if there are none. */
  header(): string | undefined;
  /** Checks now and returns the new list. */
  refresh(): Promise<readonly Degradation[]>;
  /** Checks every second until `close`. */
  open(): void;
  close(): void;
}

interface DegradationDeps {
  engine: Pick<Engine, "nodes">;
  cache: Pick<Cache, "stats">;
  workers: () => Promise<WorkersState>;
  log: Pick<Log, "warn">;
}

const REFRESH_MS = 1000;

export const createDegradations = ({ engine, cache, workers, log }: DegradationDeps): Degradations => {
  const startedAt = new Date();
  let current: readonly Degradation[] = [];
  let header: string | undefined;
  let timer: Timer | undefined;

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
    header: () => header,
    refresh,
    open() {
      timer ??= setInterval(look, REFRESH_MS).unref();
      look();
    },
    close: () => clearInterval(timer),
  };
};

/** Reasons that `/readyz` gives for the dependency, too. */
export const NO_WORKER = "No jobs worker is running: dataset uploads have to wait";
export const CACHE_LOST = "can't be reached: answers are kept in this gateway only";

/** Whether new requests go to a node in this state. A busy node refuses some, but it works. */
export const takesRequests = (state: NodeView["state"]): boolean => state === "ready" || state === "busy";

const ofNodes = (nodes: readonly NodeView[]): Degradation[] => {
  const away = nodes.filter(({ state }) => !takesRequests(state));
  if (away.length === 0) return [];
  const times = away.map(({ since }) => since.getTime());
  if (away.length === nodes.length) {
    const reason = "No node takes requests: only stored answers are served";
    return [{ code: "cached_only", since: new Date(Math.max(...times)).toISOString(), reason, drill: false }];
  }
  const reason = `${away.length} of ${nodes.length} nodes take no requests`;
  return [{ code: "fewer_nodes", since: new Date(Math.min(...times)).toISOString(), reason, drill: false }];
};

const ofCache = (layers: readonly CacheStats[]): Degradation[] =>
  layers
    .filter(({ layer, status }) => layer === "redis" && status === "degraded")
    .map(({ since }) => ({
      code: "cache_local",
      since: since.toISOString(),
      reason: `Redis ${CACHE_LOST}`,
      drill: false,
    }));

const ofWorkers = ({ isAlive, lastBeat }: WorkersState, startedAt: Date): Degradation[] => {
  if (isAlive) return [];
  return [{ code: "no_jobs", since: (lastBeat ?? startedAt).toISOString(), reason: NO_WORKER, drill: false }];
};
