import { Elysia } from "elysia";
import { auth, principalOf } from "../http/auth";
import { plannedRoutes } from "../http/not-implemented";
import { allows, fails, runsLong } from "../http/route-facts";
import { CompareQuery, Comparison } from "./contract";
import { GateRequest, GateVerdict } from "./gate-contract";
import type { CompareService } from "./service";

export const compareRoutes = ({ compare }: { compare: CompareService }) =>
  new Elysia({ name: "compare.routes", tags: ["Batch evals"] })
    .use(auth)
    .use(plannedGate)
    .get("/v1/compare", ({ request, query }) => compare.compare(principalOf(request), query), {
      query: CompareQuery,
      response: { 200: Comparison },
      detail: {
        ...allows("viewer"),
        summary:
          "Compare two to five runs on the same samples: difference, interval, test, verdict and changed samples",
        description:
          "Runs are paired by the key and the content of their samples. Repeats of a sample are averaged, samples of a group are clustered, and p values are Holm-adjusted for all tests of the response. Samples that are missing or errors in a run are excluded and counted, and never count as passed.",
        ...fails(404),
        ...runsLong,
      },
    });

const plannedGate = plannedRoutes("Batch evals", [
  [
    "POST /v1/batch-evals/:id/gate",
    "viewer",
    "Check a run against a gate: pass, fail or not enough data, with the number of samples still needed",
    GateVerdict,
    { body: GateRequest },
  ],
]);
