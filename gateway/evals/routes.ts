import { Elysia } from "elysia";
import { PageQuery, PathId } from "../contract";
import { auth } from "../http/auth";
import { callOf } from "../http/call";
import { download } from "../http/download";
import { allows, creates, downloads, dropsNul, generates, readsLarge } from "../http/route-facts";
import type { Idempotency } from "../idempotency/service";
import { EvaluateRequest, Evaluation, Recomputed, RecomputeEval, RunPage, RunQuery, RunWithResults } from "./contract";
import type { EvalService } from "./service";
import { type EvalTransfer, runFile } from "./transfer";
import { RunExport, RunExportQuery, RunImport } from "./transfer-contract";

interface Services {
  evals: EvalService;
  evalTransfer: EvalTransfer;
  idempotency: Idempotency;
}

/** An imported run is larger than the request that created it, because it includes the answer, scores and labels. */
const RUN_FACTOR = 4;

/** Runs: evaluate, list, read, export, import and recompute. */
export const evalRoutes = ({ evals, evalTransfer, idempotency }: Services) =>
  new Elysia({ name: "evals.routes", prefix: "/v1", tags: ["Evaluation"] })
    .use(auth)
    .post(
      "/evaluate",
      async ({ principal, exchange, body, status }) => {
        const call = callOf(exchange, principal);
        const made = await idempotency.once(exchange, principal, body, (seal) => evals.evaluate(call, body, { seal }));
        return status(201, made);
      },
      {
        body: EvaluateRequest,
        response: { 201: Evaluation },
        detail: {
          ...allows("member"),
          summary: "Score one sample now and store it as a run",
          description:
            "Send the sample in full, or name it by its key in a dataset. An existing output is scored as it is; otherwise the target answers first. An evaluator that fails returns scores in the `error` state, never a value. The response contains the result and the settings behind it; `GET /v1/evals/{id}` adds the run's figures.",
          ...creates,
          ...generates,
          ...dropsNul,
        },
      },
    )
    .get("/evals", ({ principal, query }) => evals.list(principal, query), {
      query: RunQuery,
      response: { 200: RunPage },
      detail: { ...allows("viewer"), summary: "List all runs, single and batch, newest first" },
    })
    .post(
      "/evals/import",
      async ({ principal, exchange, body, status }) => {
        const made = await idempotency.once(exchange, principal, body, (seal) =>
          evalTransfer.import(principal, body, seal),
        );
        return status(made.imported ? 201 : 200, made);
      },
      {
        body: RunExport,
        response: { 200: RunImport, 201: RunImport },
        detail: {
          ...allows("editor"),
          summary: "Import a run that another instance exported",
          description:
            "Returns 200 if this instance already has the run. Verdicts and statistics are recomputed from the scores.",
          ...creates,
          ...readsLarge(RUN_FACTOR),
        },
      },
    )
    .get("/evals/:id", ({ principal, params, query }) => evals.get(principal, params.id, query), {
      params: PathId,
      query: PageQuery,
      response: { 200: RunWithResults },
      detail: {
        ...allows("viewer"),
        summary: "Read a run: its model, data, settings, statistics, and a page of results",
      },
    })
    .get(
      "/evals/:id/export",
      async ({ principal, params, query }) =>
        download(runFile(await evalTransfer.export(principal, params.id), query.format)),
      {
        params: PathId,
        query: RunExportQuery,
        response: { 200: RunExport },
        detail: {
          ...allows("viewer"),
          summary: "Download a run with all its results, scores and labels",
          ...downloads("text/csv"),
        },
      },
    )
    .post(
      "/evals/:id/recompute",
      ({ principal, exchange, params, body }) => evals.recompute(callOf(exchange, principal), params.id, body),
      {
        params: PathId,
        body: RecomputeEval,
        response: { 200: Recomputed },
        detail: {
          ...allows("member"),
          summary: "Score the stored outputs again with any version of an evaluator",
          description:
            "New scores are added and existing ones kept. A criterion that has a value from the same version is not scored again; one with an error is. Unless `shadow` is true, the verdict counts the newest value of each evaluator.",
          ...generates,
        },
      },
    );
