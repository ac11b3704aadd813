import { RunPage, RunQuery, SampleResultPage } from "../evals/contract";
import { GateVerdict } from "../evals/statistics-contract";
import { plannedRoutes } from "../http/not-implemented";
import { creates, downloads, fails, streams } from "../http/route-facts";
import {
  BatchEval,
  BatchEvalEvent,
  BatchEvalPlan,
  EventQuery,
  ExportQuery,
  GateRequest,
  PlanBatchEval,
  RecomputeBatchEval,
  ResultQuery,
  ResumeBatchEval,
  StartBatchEval,
} from "./contract";

const RUN = "/v1/batch-evals/:id";
const FILES = ["jsonl", "vnd.apache.parquet", "xml", "gzip"].map((type) => `application/${type}`);

export const batchEvalRoutes = plannedRoutes("Batch evals", [
  ["GET /v1/batch-evals", "viewer", "List the batch runs, newest first", RunPage, { query: RunQuery }],
  [`GET ${RUN}`, "viewer", "Read a run: its progress, statistics and settings", BatchEval],
  [`GET ${RUN}/samples`, "viewer", "List the results of a run", SampleResultPage, { query: ResultQuery }],
  [
    `GET ${RUN}/events`,
    "viewer",
    "Follow a run live",
    undefined,
    {
      query: EventQuery,
      facts: streams(BatchEvalEvent),
      description: "Server-Sent Events with ids; `Last-Event-ID` resumes after a lost connection.",
    },
  ],
  [
    `GET ${RUN}/export`,
    "viewer",
    "Download a run",
    undefined,
    { query: ExportQuery, facts: downloads(...FILES, "text/csv", "text/html") },
  ],
  [
    "POST /v1/batch-evals/plan",
    "editor",
    "Estimate the cost of a run and the smallest difference it could detect",
    BatchEvalPlan,
    { body: PlanBatchEval, facts: fails(404) },
  ],
  [
    "POST /v1/batch-evals",
    "editor",
    "Start a run over a dataset",
    [202, BatchEval],
    { body: StartBatchEval, facts: { ...creates, ...fails(402, 404) } },
  ],
  [
    `POST ${RUN}/pause`,
    "editor",
    "Pause a run: running samples finish, no new ones start",
    BatchEval,
    { facts: fails(409) },
  ],
  [
    `POST ${RUN}/cancel`,
    "editor",
    "Cancel a run within a second; existing results are kept",
    BatchEval,
    { facts: fails(409) },
  ],
  [
    `POST ${RUN}/resume`,
    "editor",
    "Resume a paused, cancelled or failed run, or retry its errors",
    [202, BatchEval],
    { body: ResumeBatchEval, facts: fails(409) },
  ],
  [
    `POST ${RUN}/recompute`,
    "editor",
    "Score the stored outputs again and keep the existing scores",
    [202, BatchEval],
    { body: RecomputeBatchEval, facts: creates },
  ],
  [
    `POST ${RUN}/gate`,
    "viewer",
    "Check a run against a gate: pass, fail or not enough data, with the number of samples still needed",
    GateVerdict,
    { body: GateRequest },
  ],
]);
