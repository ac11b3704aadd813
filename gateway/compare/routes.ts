import { Elysia } from "elysia";
import { PathId } from "../contract";
import { auth, principalOf } from "../http/auth";
import { allows, fails, runsLong } from "../http/route-facts";
import { CompareQuery, Comparison } from "./contract";
import { GateRequest, GateVerdict } from "./gate/contract";
import type { CompareService } from "./service";

export const compareRoutes = ({ compare }: { compare: CompareService }) =>
  new Elysia({ name: "compare.routes", tags: ["Batch evals"] })
    .use(auth)
    .get("/v1/compare", ({ request, query }) => compare.compare(principalOf(request), query), {
      query: CompareQuery,
      response: { 200: Comparison },
      detail: {
        ...allows("viewer"),
        summary:
          "Compare two to five runs on the same samples: difference, interval, test, verdict and changed samples",
        description:
          "Samples are paired by key and content. Repeats of a sample are averaged, samples of the same group are treated as dependent, and p values are Holm-adjusted for all tests in the response. Samples that are missing from a run, or are errors in it, are excluded and counted separately; they never count as passed.",
        ...fails(404),
        ...runsLong,
      },
    })
    .post("/v1/batch-evals/:id/gate", ({ principal, params, body }) => compare.gate(principal, params.id, body), {
      params: PathId,
      body: GateRequest,
      response: { 200: GateVerdict },
      detail: {
        ...allows("viewer"),
        summary: "Check a run against a gate: pass, fail or not enough data, with the number of samples still needed",
        description:
          "A rule passes or fails if the whole 95 % interval is on one side of its bound. Samples that are errors or missing never count as passed: a rule passes only if it would also pass with the worst value for each of them.",
        ...fails(409),
        ...runsLong,
      },
    });
