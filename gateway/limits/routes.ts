import { Elysia } from "elysia";
import { auth } from "../http/auth";
import { allows, uncounted } from "../http/route-facts";
import { LimitsExplanation } from "./contract";
import type { Ledger } from "./ledger";
import { toExplanation } from "./wire";

/** The caller's limits and remaining quota. */
export const limitRoutes = ({ ledger }: { ledger: Ledger }) =>
  new Elysia({ name: "limits.routes", prefix: "/v1/limits", tags: ["Limits"] })
    .use(auth)
    .get("/explain", async ({ principal }) => toExplanation(principal, await ledger.explain(principal), Date.now()), {
      response: { 200: LimitsExplanation },
      detail: {
        ...allows("any"),
        ...uncounted,
        summary:
          "Explain the caller's limits: what is used, by whom, whether a request would exceed them, and when they free up",
      },
    });
