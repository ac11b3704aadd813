import { type TObject, Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { NumberInUrl, OneOf, PageQuery, PathId } from "../contract";
import { auth } from "../http/auth";
import { ownBody } from "../http/body";
import { download } from "../http/download";
import type { Exchange } from "../http/exchange";
import { allows, creates, downloads, fails, reads, runsLong } from "../http/route-facts";
import type { Idempotency } from "../idempotency/service";
import type { Principal } from "../principal";
import type { Uploads } from "../uploads/service";
import {
  CreateDataset,
  CreateRevision,
  Dataset,
  DatasetForm,
  DatasetPage,
  DatasetQuery,
  DatasetRevisionPage,
  RevisionDetail,
  RevisionForm,
  Sample,
  SamplePage,
  SampleQuery,
  UpdateDataset,
  UploadResult,
} from "./contract";
import type { Imports } from "./imports";
import type { DatasetService } from "./service";
import { readUploadRequest } from "./upload-request";
import { exportRevision } from "./writers";

const revision = Type.Optional(NumberInUrl({ minimum: 1, description: "Default: the newest" }));
const ExportQuery = Type.Object({ format: Type.Optional(OneOf(["jsonl", "csv"], { default: "jsonl" })), revision });
const RevisionPath = Type.Object({ ...PathId.properties, revision: NumberInUrl({ minimum: 1 }) });
const SamplePath = Type.Object({ ...PathId.properties, key: Type.String({ minLength: 1, maxLength: 200 }) });

interface Services {
  datasets: DatasetService;
  idempotency: Idempotency;
  imports: Imports;
  uploads: Uploads;
}

interface Sent {
  principal: Principal;
  exchange: Exchange;
}

/** Datasets, their revisions and samples. */
export const datasetRoutes = ({ datasets, idempotency, imports, uploads }: Services) => {
  /**
   * Stores the upload, has a worker read it, and responds when the worker is done. A client that disconnects does not
   * stop the import.
   */
  const upload = async ({ principal, exchange }: Sent, schemas: { json: TObject; form: TObject }, dataset?: string) => {
    const read = await readUploadRequest(ownBody(exchange), schemas, uploads, principal);
    const job = await imports.submit(principal, read, dataset, (make) =>
      idempotency.once(exchange, principal, read.sent, make),
    );
    const made = await imports.wait(job, exchange.activeSignal(principal.keyId), (tx) =>
      idempotency.forget(tx, exchange, principal),
    );
    const result = { dataset: made.dataset, report: made.report };
    return { status: made.isNew ? (201 as const) : (200 as const), result };
  };

  return new Elysia({ name: "datasets.routes", prefix: "/v1", tags: ["Datasets"] })
    .use(auth)
    .get("/datasets", ({ query }) => datasets.list(query), {
      query: DatasetQuery,
      response: { 200: DatasetPage },
      detail: { ...allows("viewer"), summary: "List the datasets, most recently changed first" },
    })
    .post(
      "/datasets",
      async ({ principal, exchange, status }) => {
        const schemas = { json: CreateDataset, form: DatasetForm };
        const made = await upload({ principal, exchange }, schemas);
        return status(made.status, made.result);
      },
      {
        response: { 200: UploadResult, 201: UploadResult },
        detail: {
          ...allows("editor"),
          summary: "Create a dataset from JSONL, JSON, CSV or Parquet",
          description:
            "As JSON, or as a form with a file. A dry run returns 200. A 422 lists the invalid lines and columns.",
          ...reads(CreateDataset, DatasetForm),
          ...runsLong,
          ...creates,
          // A repeated request whose dataset was deleted in the meantime.
          ...fails(404),
        },
      },
    )
    .get("/datasets/:id", ({ params }) => datasets.get(params.id), {
      params: PathId,
      response: { 200: Dataset },
      detail: { ...allows("viewer"), summary: "Read a dataset and its newest revision" },
    })
    .patch("/datasets/:id", ({ principal, params, body }) => datasets.update(principal, params.id, body), {
      params: PathId,
      body: UpdateDataset,
      response: { 200: Dataset },
      detail: {
        ...allows("editor"),
        summary: "Change a dataset's name, description, schema or baseline run",
        ...fails(409),
      },
    })
    .delete(
      "/datasets/:id",
      async ({ principal, params }) => {
        await datasets.remove(principal, params.id);
        return new Response(null, { status: 204 });
      },
      { params: PathId, detail: { ...allows("editor"), summary: "Delete a dataset; runs keep the samples they used" } },
    )
    .get("/datasets/:id/revisions", ({ params, query }) => datasets.revisions(params.id, query), {
      params: PathId,
      query: PageQuery,
      response: { 200: DatasetRevisionPage },
      detail: { ...allows("viewer"), summary: "List the revisions, newest first" },
    })
    .post(
      "/datasets/:id/revisions",
      async ({ principal, exchange, params, status }) => {
        const schemas = { json: CreateRevision, form: RevisionForm };
        const made = await upload({ principal, exchange }, schemas, params.id);
        return status(made.status, made.result);
      },
      {
        params: PathId,
        response: { 200: UploadResult, 201: UploadResult },
        detail: {
          ...allows("editor"),
          summary: "Create a revision: add, change and remove samples by key",
          description: "A dry run, or an upload that changes nothing, returns 200.",
          ...reads(CreateRevision, RevisionForm),
          ...runsLong,
          ...creates,
        },
      },
    )
    .get("/datasets/:id/revisions/:revision", ({ params }) => datasets.revisionDetail(params.id, params.revision), {
      params: RevisionPath,
      response: { 200: RevisionDetail },
      detail: { ...allows("viewer"), summary: "Read a revision and its upload report" },
    })
    .get("/datasets/:id/samples", ({ params, query }) => datasets.samples(params.id, query), {
      params: PathId,
      query: SampleQuery,
      response: { 200: SamplePage },
      detail: { ...allows("viewer"), summary: "List the samples of a revision, in upload order" },
    })
    .get("/datasets/:id/samples/:key", ({ params, query }) => datasets.sample(params.id, params.key, query.revision), {
      params: SamplePath,
      query: Type.Object({ revision }),
      response: { 200: Sample },
      detail: { ...allows("viewer"), summary: "Read one sample by its key" },
    })
    .get(
      "/datasets/:id/export",
      async ({ params, query }) => download(await exportRevision(datasets, params.id, query)),
      {
        params: PathId,
        query: ExportQuery,
        detail: {
          ...allows("viewer"),
          summary: "Download a revision",
          description: "Uploading the JSONL or CSV file again gives the same samples with the same hashes.",
          ...downloads("application/jsonl", "text/csv"),
        },
      },
    );
};
