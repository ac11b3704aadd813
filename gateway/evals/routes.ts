import { Elysia } from "elysia";
import { PageQuery, PathId } from "../contract";
import { auth } from "../http/auth";
import { notImplemented } from "../http/not-implemented";
import { creates, generates } from "../http/route-docs";
import { EvaluateRequest, Evaluation, RunPage, RunQuery, RunWithResults } from "./contract";

export const evalRoutes = new Elysia({ name: "evals.routes", prefix: "/v1", tags: ["Evaluation"] })
  .use(auth)
  .post("/evaluate", notImplemented("POST /v1/evaluate"), {
    parse: "json",
    body: EvaluateRequest,
    response: { 201: Evaluation },
    detail: { summary: "Score one sample now; it is kept as a run", ...creates, ...generates },
  })
  .get("/evals", notImplemented("GET /v1/evals"), {
    query: RunQuery,
    response: { 200: RunPage },
    detail: { summary: "List all runs, single and batch, newest first" },
  })
  .get("/evals/:id", notImplemented("GET /v1/evals/:id"), {
    params: PathId,
    query: PageQuery,
    response: { 200: RunWithResults },
    detail: { summary: "Read a run: everything that pins its numbers, statistics, and a page of results" },
  });
