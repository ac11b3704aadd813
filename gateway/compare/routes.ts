import { Elysia } from "elysia";
import { auth } from "../http/auth";
import { notImplemented } from "../http/not-implemented";
import { allows, fails } from "../http/route-facts";
import { CompareQuery, Comparison } from "./contract";

export const compareRoutes = new Elysia({ name: "compare.routes", prefix: "/v1", tags: ["Evaluation"] })
  .use(auth)
  .get("/compare", notImplemented("GET /v1/compare"), {
    query: CompareQuery,
    response: { 200: Comparison },
    detail: {
      ...allows("viewer"),
      summary: "Compare two runs on the same samples: difference, interval, significance test and changed samples",
      ...fails(404, 409),
    },
  });
