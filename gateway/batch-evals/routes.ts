import { Elysia } from "elysia";
import { PathId } from "../contract";
import { RunPage, RunQuery, SampleResultPage } from "../evals/contract";
import { auth, principalOf } from "../http/auth";
import { callOf } from "../http/call";
import { download } from "../http/download";
import { allows, creates, downloads, fails, runsLong, streams } from "../http/route-facts";
import { sseResponse } from "../http/sse";
import type { Idempotency } from "../idempotency/service";
import { readNumberCursor } from "../paging";
import {
  BatchEval,
  BatchEvalEvent,
  BatchEvalPlan,
  EventQuery,
  ExportQuery,
  PlanBatchEval,
  RecomputeBatchEval,
  ResultQuery,
  ResumeBatchEval,
  StartBatchEval,
} from "./contract";
import type { NumberedEvent } from "./events";
import { type BatchExports, EXPORT_TYPES, type RenderReport } from "./export/service";
import type { BatchEvalService } from "./service";

interface Services {
  batchEvals: BatchEvalService;
  batchExports: BatchExports;
  renderReport: RenderReport;
  idempotency: Idempotency;
}

const RUN = "/v1/batch-evals/:id";

/** Batch runs: plan, start, follow, control and score again. */
export const batchEvalRoutes = ({ batchEvals, batchExports, idempotency, renderReport }: Services) =>
  new Elysia({ name: "batch-evals.routes", tags: ["Batch evals"] })
    .use(auth)
    .post("/v1/batch-evals/plan", ({ principal, body }) => batchEvals.plan(principal, body), {
      body: PlanBatchEval,
      response: { 200: BatchEvalPlan },
      detail: {
        ...allows("editor"),
        summary: "Estimate the cost of a run and the smallest difference it could detect",
        description: "Planning starts nothing.",
        ...fails(404, 409),
      },
    })
    .post(
      "/v1/batch-evals",
      async ({ principal, exchange, body, status, set }) => {
        const started = await idempotency.once(exchange, principal, body, (seal) =>
          batchEvals.start(principal, body, seal),
        );
        set.headers.location = `/v1/batch-evals/${started.id}`;
        return status(202, started);
      },
      {
        body: StartBatchEval,
        response: { 202: BatchEval },
        detail: {
          ...allows("editor"),
          summary: "Start a run over a dataset",
          description:
            "A jobs worker generates the outputs with batch priority on behalf of the calling key, scores them, and stores each with its scores. A run over an index stops if the index changes. Follow the run with `GET /v1/batch-evals/{id}` or its events.",
          ...creates,
          ...fails(404, 409),
        },
      },
    )
    .get("/v1/batch-evals", ({ request, query }) => batchEvals.list(principalOf(request), query), {
      query: RunQuery,
      response: { 200: RunPage },
      detail: { ...allows("viewer"), summary: "List the batch runs, newest first" },
    })
    .get(RUN, ({ request, params }) => batchEvals.get(principalOf(request), params.id), {
      params: PathId,
      response: { 200: BatchEval },
      detail: {
        ...allows("viewer"),
        summary: "Read a run: its progress, statistics and settings",
        description: "Counts are always current. Statistics are updated during the run, and are complete when it ends.",
      },
    })
    .get(`${RUN}/samples`, ({ request, params, query }) => batchEvals.results(principalOf(request), params.id, query), {
      params: PathId,
      query: ResultQuery,
      response: { 200: SampleResultPage },
      detail: { ...allows("viewer"), summary: "List the results of a run" },
    })
    .get(
      `${RUN}/export`,
      async ({ params, query, request }) =>
        download(await batchExports.file(principalOf(request), params.id, query, renderReport)),
      {
        params: PathId,
        query: ExportQuery,
        detail: {
          ...allows("viewer"),
          summary: "Download the results of a run",
          description:
            "Results are streamed in the dataset's order. While the run is in progress, the file contains the results so far.",
          ...downloads(...EXPORT_TYPES),
          ...runsLong,
          ...fails(409),
        },
      },
    )
    .get(
      `${RUN}/events`,
      async ({ params, query, principal, exchange, request }) => {
        const after = readNumberCursor(request.headers.get("last-event-id") || undefined);
        const { signal } = callOf(exchange, principal);
        const hasSamples = query.samples !== "false";
        // Looked up before the stream starts, so that an unknown run gets a 404.
        await batchEvals.get(principal, params.id);
        const events = batchEvals.events(principal, params.id, { after, hasSamples, signal });
        return sseResponse(exchange, { headers: {}, pieces: framesOf(events) });
      },
      {
        params: PathId,
        query: EventQuery,
        detail: {
          ...allows("viewer"),
          summary: "Follow a run live",
          description:
            "Server-Sent Events: `state` when it changes, `progress`, `sample` for each ended result, and `done` at the end, then `[DONE]`. Each event has an id; send it as `Last-Event-ID` to resume without gaps. Otherwise, only results that end after the request are sent.",
          ...streams(BatchEvalEvent),
          ...runsLong,
        },
      },
    )
    .post(`${RUN}/pause`, ({ principal, params }) => batchEvals.pause(principal, params.id), {
      params: PathId,
      response: { 200: BatchEval },
      detail: {
        ...allows("editor"),
        summary: "Pause a run: running samples finish, no new ones start",
        ...fails(409),
      },
    })
    .post(`${RUN}/cancel`, ({ principal, params }) => batchEvals.cancel(principal, params.id), {
      params: PathId,
      response: { 200: BatchEval },
      detail: {
        ...allows("editor"),
        summary: "Cancel a run within a second; existing results are kept",
        ...fails(409),
      },
    })
    .post(
      `${RUN}/resume`,
      async ({ principal, params, body, status }) => status(202, await batchEvals.resume(principal, params.id, body)),
      {
        params: PathId,
        body: ResumeBatchEval,
        response: { 202: BatchEval },
        detail: {
          ...allows("editor"),
          summary: "Resume a paused, cancelled or failed run, or retry its errors",
          description: "The run's remaining calls are made on behalf of the calling key.",
          ...fails(409),
        },
      },
    )
    .post(
      `${RUN}/recompute`,
      async ({ principal, exchange, params, body, status }) => {
        const made = await idempotency.once(exchange, principal, body, (seal) =>
          batchEvals.recompute(principal, params.id, body, seal),
        );
        return status(202, made);
      },
      {
        params: PathId,
        body: RecomputeBatchEval,
        response: { 202: BatchEval },
        detail: {
          ...allows("editor"),
          summary: "Score the stored outputs again and keep the existing scores",
          description: "A criterion that has a value from the same version is not scored again; one with an error is.",
          ...creates,
          ...fails(409),
        },
      },
    );

const framesOf = async function* (events: AsyncGenerator<NumberedEvent, void, undefined>) {
  for await (const { id, event } of events) yield `id: ${id}\ndata: ${JSON.stringify(event)}\n\n`;
  yield "data: [DONE]\n\n";
};
