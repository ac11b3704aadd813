import type { WorkersState } from "../jobs/service";
import type { CacheStats } from "../ports/cache";
import type { NodeView } from "../ports/engine";
import type { LedgerState } from "../ports/ledger";
import type { Degradation, DegradationCode, ReasonCode } from "./contract";

/** A vector store's last known state. */
export interface VectorStoreView {
  state(): { status: "ok" | "down"; since: Date; latencyMs: number | null; reason: string | null };
}

export const NO_WORKER = "No jobs worker is running: dataset uploads wait until one starts";
export const CACHE_LOST = "is unreachable: answers are cached only in this gateway";

/** Whether a node in this state gets new requests. A busy node rejects some of them, but it works. */
export const takesRequests = (state: NodeView["state"]): boolean => state === "ready" || state === "busy";

export const degradation = (
  code: DegradationCode,
  since: Date,
  reason: string,
  causes: ReasonCode[] = [],
): Degradation => ({ code, since: since.toISOString(), reason, causes, drill: false });

export const ofNodes = (nodes: readonly NodeView[]): Degradation[] => {
  const away = nodes
    .filter(({ state }) => !takesRequests(state))
    .toSorted((a, b) => a.since.getTime() - b.since.getTime());
  const [first, last] = [away[0], away.at(-1)];
  if (!first || !last) return [];
  const causes = [...new Set(away.map(({ state }) => state))].filter((state) => state !== "ready");
  const why = causes.join(", ");
  return away.length === nodes.length
    ? [
        degradation(
          "cached_only",
          last.since,
          `No node accepts requests (${why}): only cached answers are served`,
          causes,
        ),
      ]
    : [degradation("fewer_nodes", first.since, `${away.length} of ${nodes.length} nodes unavailable (${why})`, causes)];
};

export const ofCache = (layers: readonly CacheStats[]): Degradation[] =>
  layers
    .filter(({ layer, status }) => layer === "redis" && status === "degraded")
    .map(({ since }) => degradation("cache_local", since, `Redis ${CACHE_LOST}`, ["unreachable"]));

export const ofWorkers = ({ isAlive, lastBeat }: WorkersState, startedAt: Date): Degradation[] =>
  isAlive ? [] : [degradation("no_jobs", lastBeat ?? startedAt, NO_WORKER, ["no_worker"])];

export const ofLimits = ({ status, since, gateways, isDetached }: LedgerState): Degradation[] => {
  if (status === "ok" || isDetached) return [];
  const share = gateways === 1 ? "limits count only here" : `this gateway enforces 1/${gateways} of each limit`;
  return [degradation("limits_local", since, `Redis is unreachable: ${share}`, ["unreachable"])];
};

export const ofVectors = (state: ReturnType<VectorStoreView["state"]> | undefined): Degradation[] =>
  state?.status === "down"
    ? [
        degradation("keyword_only", state.since, "The vector store is down, so searches use only keywords", [
          "unreachable",
        ]),
      ]
    : [];
