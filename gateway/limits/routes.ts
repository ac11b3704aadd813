import { Elysia } from "elysia";
import { auth } from "../http/auth";
import { allows, uncounted } from "../http/route-facts";
import { fromRow } from "../wire";
import { LimitState, LimitsExplanation } from "./contract";
import type { Ledger } from "./ledger";

/** The caller's limits and remaining quota. */
export const limitRoutes = ({ ledger }: { ledger: Ledger }) =>
  new Elysia({ name: "limits.routes", prefix: "/v1/limits", tags: ["Limits"] })
    .use(auth)
    .get("/explain", ({ principal }) => explanationOf(principal.keyId, ledger.explain(principal), Date.now()), {
      response: { 200: LimitsExplanation },
      detail: {
        ...allows("any"),
        ...uncounted,
        summary: "The caller's limits, the remaining quota, and whether a request would exceed it",
      },
    });

const explanationOf = (keyId: string, limits: ReturnType<Ledger["explain"]>, nowMs: number): LimitsExplanation => {
  const waits = limits.map(({ freesInMs }) => freesInMs).filter((ms) => ms !== null);
  return {
    key_id: keyId,
    would_refuse: limits.some(({ wouldRefuse }) => wouldRefuse),
    retry_after_ms: waits.length > 0 ? Math.ceil(Math.max(...waits)) : null,
    limits: limits.map(({ freesInMs, ...limit }) =>
      fromRow(LimitState, limit, {
        unit: "requests",
        scope: "key",
        mode: "enforce",
        frees_at: freesInMs === null ? null : new Date(nowMs + freesInMs).toISOString(),
      }),
    ),
  };
};
