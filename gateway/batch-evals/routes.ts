import { Elysia } from "elysia";
import { PathId } from "../contract";
import { Run, RunPage, RunQuery, SampleResultPage } from "../evals/contract";
import { GateVerdict } from "../evals/statistics-contract";
import { auth } from "../http/auth";
import { allows, creates, downloads, fails, notImplemented, streams } from "../http/route-facts";
import {
  BatchEvalEvent,
  BatchEvalPlan,
  ExportQuery,
  GateRequest,
  PlanBatchEval,
  RecomputeBatchEval,
  ResultQuery,
  ResumeBatchEval,
  StartBatchEval,
} from "./contract";

const read = new Elysia({ name: "batch-evals.read" })
  .use(auth)
  .get("/batch-evals", notImplemented("GET /v1/batch-evals"), {
    query: RunQuery,
    response: { 200: RunPage },
    detail: { ...allows("viewer"), summary: "List the batch runs, newest first" },
  })
  .get("/batch-evals/:id", notImplemented("GET /v1/batch-evals/:id"), {
    params: PathId,
    response: { 200: Run },
    detail: { ...allows("viewer"), summary: "Read a run: progress, statistics, and the settings behind them" },
  })
  .get("/batch-evals/:id/samples", notImplemented("GET /v1/batch-evals/:id/samples"), {
    params: PathId,
    query: ResultQuery,
    response: { 200: SampleResultPage },
    detail: { ...allows("viewer"), summary: "List the results of a run" },
  })
  .get("/batch-evals/:id/events", notImplemented("GET /v1/batch-evals/:id/events"), {
    params: PathId,
    detail: {
      ...allows("viewer"),
      summary: "Follow a run live",
      description: "Server-Sent Events with ids; `Last-Event-ID` resumes after a lost connection.",
      ...streams(BatchEvalEvent),
    },
  })
  .get("/batch-evals/:id/export", notImplemented("GET /v1/batch-evals/:id/export"), {
    params: PathId,
    query: ExportQuery,
    detail: {
      ...allows("viewer"),
      summary: "Download a run",
      ...downloads(
        "application/jsonl",
        "text/csv",
        "application/vnd.apache.parquet",
        "text/html",
        "application/xml",
        "application/gzip",
      ),
    },
  });

export const batchEvalRoutes = new Elysia({
  name: "batch-evals.routes",
  prefix: "/v1",
  tags: ["Batch evals"],
})
  .use(read)
  .use(auth)
  .post("/batch-evals/plan", notImplemented("POST /v1/batch-evals/plan"), {
    body: PlanBatchEval,
    response: { 200: BatchEvalPlan },
    detail: {
      ...allows("editor"),
      summary: "Estimate the cost of a run and the smallest difference that it could detect",
      ...fails(404),
    },
  })
  .post("/batch-evals", notImplemented("POST /v1/batch-evals"), {
    body: StartBatchEval,
    response: { 202: Run },
    detail: { ...allows("editor"), summary: "Start a run over a dataset", ...creates, ...fails(402, 404) },
  })
  .post("/batch-evals/:id/pause", notImplemented("POST /v1/batch-evals/:id/pause"), {
    params: PathId,
    response: { 200: Run },
    detail: { ...allows("editor"), summary: "Pause a run: running samples finish, no new ones start", ...fails(409) },
  })
  .post("/batch-evals/:id/cancel", notImplemented("POST /v1/batch-evals/:id/cancel"), {
    params: PathId,
    response: { 200: Run },
    detail: { ...allows("editor"), summary: "Cancel a run within a second; existing results are kept", ...fails(409) },
  })
  .post("/batch-evals/:id/resume", notImplemented("POST /v1/batch-evals/:id/resume"), {
    params: PathId,
    body: ResumeBatchEval,
    response: { 202: Run },
    detail: {
      ...allows("editor"),
      summary: "Resume a paused, cancelled or failed run, or retry its errors",
      ...fails(409),
    },
  })
  .post("/batch-evals/:id/recompute", notImplemented("POST /v1/batch-evals/:id/recompute"), {
    params: PathId,
    body: RecomputeBatchEval,
    response: { 202: Run },
    detail: {
      ...allows("editor"),
      summary: "Score the stored outputs again and keep the existing scores",
      ...creates,
    },
  })
  .post("/batch-evals/:id/gate", notImplemented("POST /v1/batch-evals/:id/gate"), {
    params: PathId,
    body: GateRequest,
    response: { 200: GateVerdict },
    detail: { ...allows("viewer"), summary: "Pass, fail or not enough data, with the number of samples still needed" },
  });
