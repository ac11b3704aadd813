import { version } from "../../package.json";
import type { Cache } from "../ports/cache";
import type { Engine, NodeView } from "../ports/engine";
import type { Dependency, Readiness } from "./contract";

export interface Health {
  /** Asks each dependency. The status is `down` when no request can be served, `draining` once `drain` was called. */
  readiness(): Promise<Readiness>;
  /** From now on the gateway says that it takes nothing new. */
  drain(): void;
}

interface HealthDeps {
  engine: Engine;
  cache: Cache;
  /** One cheap read; throws when the database can't be used. */
  pingDatabase(): Promise<unknown>;
  now?: () => Date;
}

/** A dependency that does not answer in this time counts as down. */
const PING_TIMEOUT_MS = 1000;

export const createHealth = ({ engine, cache, pingDatabase, now = () => new Date() }: HealthDeps): Health => {
  const startedAt = now();
  let isDraining = false;
  const changes = new Map<string, { status: Dependency["status"]; since: Date }>();

  /** Adds since when the status holds, as seen by this process. */
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
    const isAnswering = await within(PING_TIMEOUT_MS, pingDatabase());
    return dated({
      name: "database",
      status: isAnswering ? "ok" : "down",
      required: true,
      latency_ms: isAnswering ? round(performance.now() - begun) : null,
      reason: isAnswering ? null : "The database does not answer",
    });
  };

  const caches = async (): Promise<Dependency[]> =>
    (await cache.stats()).map(({ layer, status, since, latencyMs }) => ({
      name: `cache:${layer}`,
      status,
      required: false,
      since: since.toISOString(),
      latency_ms: latencyMs === undefined ? null : round(latencyMs),
      reason: status === "ok" ? null : "It can't be reached: answers are kept in this gateway only",
    }));

  return {
    async readiness() {
      const nodes = engine.nodes().map(nodeDependency);
      const others = (await Promise.all([database(), caches()])).flat();
      const dependencies = [...nodes, ...others];
      const canAnswer = nodes.some(({ status }) => status !== "down");
      const canServe = canAnswer && others.every(({ status, required }) => !required || status !== "down");
      const isWhole = dependencies.every(({ status }) => status === "ok");
      return {
        status: isDraining ? "draining" : !canServe ? "down" : isWhole ? "ok" : "degraded",
        version,
        started_at: startedAt.toISOString(),
        dependencies,
        degraded: [],
      };
    },

    drain() {
      isDraining = true;
    },
  };
};

const REASONS: Record<NodeView["state"], string | null> = {
  ready: null,
  busy: "Every slot and every place in the queue is taken",
  loading: "The model is being loaded",
  stuck: "Work runs and no token comes",
  draining: "It takes nothing new",
  ejected: "It failed several times in a row and is tried again later",
  down: "It can't be reached",
};

const nodeDependency = ({ id, state, since, latencyMs }: NodeView): Dependency => ({
  name: `engine:${id}`,
  status: state === "ready" ? "ok" : state === "busy" ? "degraded" : "down",
  required: true,
  since: since.toISOString(),
  latency_ms: latencyMs ?? null,
  reason: REASONS[state],
});

const within = async (timeoutMs: number, work: Promise<unknown>): Promise<boolean> => {
  const timeout = Promise.withResolvers<false>();
  const timer = setTimeout(timeout.resolve, timeoutMs, false);
  const done = work.then(
    () => true,
    () => false,
  );
  return Promise.race([done, timeout.promise]).finally(() => clearTimeout(timer));
};

const round = (ms: number): number => Math.round(ms * 100) / 100;
