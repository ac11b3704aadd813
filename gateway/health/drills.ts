import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { Cache } from "../ports/cache";
import type { Engine, EngineReply, EngineRequest } from "../ports/engine";
import type { LedgerStore } from "../ports/ledger";
import { takesRequests } from "./causes";
import type { DegradationCode } from "./contract";
import type { Degradations, DrillDeps } from "./degradations";

/** Drills that change something when they start and end. The other modes are looked up when they matter. */
export const drillEffects = (
  engine: Pick<Engine, "nodes" | "drain">,
  cache: Pick<Cache, "detach">,
  limits: Pick<LedgerStore, "detach">,
): DrillDeps["effects"] => {
  let drained: string | undefined;
  return {
    cache_local: (isOn) => cache.detach?.(isOn),
    limits_local: (isOn) => limits.detach?.(isOn),
    /** Drains one node, unless it is the only one that accepts requests. */
    fewer_nodes: (isOn) => {
      const working = engine.nodes().filter(({ state }) => takesRequests(state));
      const id = isOn ? (working.length > 1 ? working.at(-1)?.id : undefined) : drained;
      drained = isOn ? id : undefined;
      if (id !== undefined) engine.drain(id, isOn);
    },
  };
};

/** Says why a drill of a mode would change nothing with these settings and nodes. */
export const noEffectReasons =
  ({ models, cache, store }: Pick<Config, "models" | "cache" | "store">, engine: Pick<Engine, "nodes">) =>
  (code: DegradationCode): string | undefined => {
    // A running drill has already drained one node.
    const isAlone = engine.nodes().filter(({ state }) => takesRequests(state) || state === "draining").length < 2;
    const reasons: Partial<Record<DegradationCode, string | false>> = {
      cache_local: !store.redisUrl && "REDIS_URL is not set, so answers are cached only here anyway",
      limits_local: !store.redisUrl && "REDIS_URL is not set, so limits are enforced only here anyway",
      cache_off: !cache.enabled && "the cache is off anyway (GROUNDWIRE_CACHE)",
      fallback_model: models.fallbacks.length < 2 && "GROUNDWIRE_FALLBACK_MODELS lists fewer than two models",
      fewer_nodes: isAlone && "fewer than two nodes accept requests, and the drill never drains the last one",
      no_jobs: "workers keep running",
    };
    return reasons[code] || undefined;
  };

const DRILL_RETRY_MS = 5000;

/**
 * The engine, except that during a drill of `cached_only` no request reaches a node, and during one of `fallback_model`
 * a fallback model answers.
 */
export const drilledEngine = (engine: Engine, degradations: Pick<Degradations, "isDrill">): Engine => ({
  ...engine,
  request(request) {
    if (degradations.isDrill("cached_only")) return Promise.reject(onlyCached());
    return request.fallbacks && degradations.isDrill("fallback_model")
      ? requestFallback(engine, request, request.fallbacks)
      : engine.request(request);
  },
});

const requestFallback = async (
  engine: Engine,
  request: EngineRequest,
  { models: [first, ...models], bodyFor }: NonNullable<EngineRequest["fallbacks"]>,
): Promise<EngineReply> => {
  if (first === undefined) return engine.request(request);
  const fallbacks = { models, bodyFor };
  const reply = await engine.request({ ...request, model: first, body: bodyFor(first), fallbacks });
  return { ...reply, fallbackModel: reply.fallbackModel ?? first };
};

const onlyCached = (): AppError =>
  new AppError(
    "unavailable",
    "Only cached answers are served, because an admin is running a drill (cached_only). Try again later.",
    { retryAfterMs: DRILL_RETRY_MS, details: [{ path: "degraded", message: "cached_only" }] },
  );
