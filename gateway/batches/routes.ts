import { Elysia } from "elysia";
import { PathId } from "../contract";
import { auth } from "../http/auth";
import { allows, creates, fails } from "../http/route-facts";
import type { Idempotency } from "../idempotency/service";
import { Batch, BatchList, BatchQuery, CreateBatch } from "./contract";
import type { Batches } from "./service";

/** Batches of requests, in OpenAI's format. */
export const batchRoutes = ({ batches, idempotency }: { batches: Batches; idempotency: Idempotency }) =>
  new Elysia({ name: "batches.routes", prefix: "/v1/batches", tags: ["Batches"] })
    .use(auth)
    .post(
      "",
      ({ principal, exchange, body }) =>
        idempotency.once(exchange, principal, body, (seal) => batches.create(principal, body, seal)),
      {
        body: CreateBatch,
        response: { 200: Batch },
        detail: {
          ...allows("member"),
          summary: "Run the requests of a file, in OpenAI's format",
          description:
            "A jobs worker checks every line, then sends the requests with batch priority on behalf of the calling key. Results and errors are two files, available when the batch ends.",
          ...creates,
          ...fails(404),
        },
      },
    )
    .get("", ({ principal, query }) => batches.list(principal, query), {
      query: BatchQuery,
      response: { 200: BatchList },
      detail: { ...allows("member"), summary: "List your key's batches, newest first" },
    })
    .get("/:id", ({ principal, params }) => batches.get(principal, params.id), {
      params: PathId,
      response: { 200: Batch },
      detail: { ...allows("member"), summary: "Read a batch: its status, counts and files" },
    })
    .post("/:id/cancel", ({ principal, params }) => batches.cancel(principal, params.id), {
      params: PathId,
      response: { 200: Batch },
      detail: {
        ...allows("member"),
        summary: "Cancel a batch; existing results are kept",
        description:
          "Running requests stop within a second. The batch is `cancelling` until its output files are written. In them, requests that were not run have the error `batch_cancelled`.",
      },
    });
