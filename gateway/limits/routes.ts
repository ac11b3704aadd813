import { Elysia } from "elysia";
import { ErrorEnvelope } from "../contract";
import { auth } from "../http/auth";
import { allows, uncounted } from "../http/route-facts";
import { LimitsExplanation } from "./contract";
import type { Ledger } from "./ledger";

/** What is left of the caller's limits. */
export const limitRoutes = ({ ledger }: { ledger: Ledger }) =>
  new Elysia({ name: "limits.routes", prefix: "/v1/limits", tags: ["Limits"] })
    .use(auth)
    .get("/explain", ({ principal }) => toWire(principal.keyId, ledger.explain(principal), Date.now()), {
      response: { 200: LimitsExplanation, default: ErrorEnvelope },
      detail: {
        ...allows("any"),
        ...uncounted,
        summary: "The caller's limits, what is left of them, and which requests would exceed them",
      },
    });

const toWire = (keyId: string, limits: ReturnType<Ledger["explain"]>, nowMs: number): LimitsExplanation => {
  const waits = limits.map(({ freesInMs }) => freesInMs).filter((ms) => ms !== undefined);
  return {
    key_id: keyId,
    would_refuse: limits.some(({ wouldRefuse }) => wouldRefuse),
    retry_after_ms: waits.length > 0 ? Math.ceil(Math.max(...waits)) : null,
    limits: limits.map((limit) => ({
      name: limit.name,
      unit: "requests",
      scope: "key",
      limit: limit.limit,
      used: limit.used,
      remaining: limit.remaining,
      window: limit.window,
      window_seconds: limit.windowSeconds ?? null,
      mode: "enforce",
      would_refuse: limit.wouldRefuse,
      frees_at: limit.freesInMs === undefined ? null : new Date(nowMs + limit.freesInMs).toISOString(),
    })),
  };
};
