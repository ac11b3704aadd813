import { Elysia } from "elysia";
import { PageQuery, PathId } from "../contract";
import { auth } from "../http/auth";
import { callOf } from "../http/call";
import type { Idempotency } from "../http/idempotency";
import { creates, downloads, fails, generates } from "../http/route-docs";
import {
  EvaluateRequest,
  Evaluation,
  Recomputed,
  RecomputeEval,
  RunExport,
  RunExportQuery,
  RunImport,
  RunPage,
  RunQuery,
  RunWithResults,
} from "./contract";
import { runFile } from "./run-file";
import type { EvalService } from "./service";
import type { EvalTransfer } from "./transfer";

interface Services {
  evals: EvalService;
  evalTransfer: EvalTransfer;
  idempotency: Idempotency;
}

/** Evaluations and their history. */
export const evalRoutes = ({ evals, evalTransfer, idempotency }: Services) =>
  new Elysia({ name: "evals.routes", prefix: "/v1", tags: ["Evaluation"] })
    .use(auth)
    .post(
      "/evaluate",
      async ({ principal, exchange, request, server, body, status }) => {
        server?.timeout(request, 0);
        const call = callOf(exchange, principal);
        const made = await idempotency.once(exchange, principal, body, (seal) => evals.evaluate(call, body, { seal }));
        return status(201, made);
      },
      {
        parse: "json",
        body: EvaluateRequest,
        response: { 201: Evaluation },
        detail: {
          summary: "Score one sample now; it is kept as a run",
          description:
            "The sample is written out, or named by its key in a dataset. With an output nothing is generated. An evaluator that fails is a score of the state `error`, never a value.",
          ...creates,
          ...generates,
          ...fails(501),
        },
      },
    )
    .get("/evals", ({ query }) => evals.list(query), {
      query: RunQuery,
      response: { 200: RunPage },
      detail: { summary: "List all runs, single and batch, newest first" },
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
        parse: "json",
        body: RunExport,
        response: { 200: RunImport, 201: RunImport },
        detail: {
          summary: "Take in a run that another instance has exported",
          description: "200: this very run is here already. Its figures are computed anew from its results.",
          ...creates,
        },
      },
    )
    .get("/evals/:id", ({ params, query }) => evals.get(params.id, query), {
      params: PathId,
      query: PageQuery,
      response: { 200: RunWithResults },
      detail: { summary: "Read a run: everything that pins its numbers, statistics, and a page of results" },
    })
    .get(
      "/evals/:id/export",
      async ({ params, query }) => runFile(await evalTransfer.export(params.id), query.format),
      {
        params: PathId,
        query: RunExportQuery,
        response: { 200: RunExport },
        detail: { summary: "Download a run with all of its results, scores and labels", ...downloads("text/csv") },
      },
    )
    .post(
      "/evals/:id/recompute",
      async ({ principal, exchange, request, server, params, body }) => {
        server?.timeout(request, 0);
        return evals.recompute(callOf(exchange, principal), params.id, body);
      },
      {
        parse: "json",
        params: PathId,
        body: RecomputeEval,
        response: { 200: Recomputed },
        detail: {
          summary: "Score the stored outputs again, with any version of an evaluator",
          description:
            "New scores stand beside the old ones. What a version has given a value to by the same criterion is not scored again; an error is. With a say the newest value of an evaluator counts for the verdict.",
          ...generates,
        },
      },
    );
