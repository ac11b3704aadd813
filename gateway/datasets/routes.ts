import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { NumberInUrl, OneOf, PageQuery, PathId } from "../contract";
import { auth } from "../http/auth";
import { notImplemented } from "../http/not-implemented";
import { creates, downloads, fails } from "../http/route-docs";
import {
  CreateDataset,
  CreateRevision,
  Dataset,
  DatasetForm,
  DatasetPage,
  DatasetQuery,
  DatasetRevisionPage,
  RevisionForm,
  SamplePage,
  SampleQuery,
  UpdateDataset,
  UploadResult,
} from "./contract";

const ExportQuery = Type.Object({
  format: Type.Optional(OneOf(["jsonl", "csv"], { default: "jsonl" })),
  revision: Type.Optional(NumberInUrl({ minimum: 1, description: "Left out: the newest" })),
});

export const datasetRoutes = new Elysia({ name: "datasets.routes", prefix: "/v1", tags: ["Datasets"] })
  .use(auth)
  .get("/datasets", notImplemented("GET /v1/datasets"), {
    query: DatasetQuery,
    response: { 200: DatasetPage },
    detail: { summary: "List the datasets, last changed first" },
  })
  .post("/datasets", notImplemented("POST /v1/datasets"), {
    body: Type.Union([CreateDataset, DatasetForm]),
    response: { 200: UploadResult, 201: UploadResult },
    detail: {
      summary: "Create a dataset from JSONL, JSON, CSV or Parquet",
      description:
        "As JSON, or as a form with a file. 200 answers a dry run. 422 names the lines and columns that are wrong.",
      ...creates,
    },
  })
  .get("/datasets/:id", notImplemented("GET /v1/datasets/:id"), {
    params: PathId,
    response: { 200: Dataset },
    detail: { summary: "Read a dataset and its newest revision" },
  })
  .patch("/datasets/:id", notImplemented("PATCH /v1/datasets/:id"), {
    parse: "json",
    params: PathId,
    body: UpdateDataset,
    response: { 200: Dataset },
    detail: { summary: "Rename a dataset, describe it or choose its baseline run", ...fails(409) },
  })
  .delete("/datasets/:id", notImplemented("DELETE /v1/datasets/:id"), {
    params: PathId,
    response: { 204: Type.Void() },
    detail: { summary: "Delete a dataset; runs keep what they have used" },
  })
  .get("/datasets/:id/revisions", notImplemented("GET /v1/datasets/:id/revisions"), {
    params: PathId,
    query: PageQuery,
    response: { 200: DatasetRevisionPage },
    detail: { summary: "List the revisions, newest first" },
  })
  .post("/datasets/:id/revisions", notImplemented("POST /v1/datasets/:id/revisions"), {
    params: PathId,
    body: Type.Union([CreateRevision, RevisionForm]),
    response: { 200: UploadResult, 201: UploadResult },
    detail: { summary: "Add, change and remove samples by key: a new revision", ...creates },
  })
  .get("/datasets/:id/samples", notImplemented("GET /v1/datasets/:id/samples"), {
    params: PathId,
    query: SampleQuery,
    response: { 200: SamplePage },
    detail: { summary: "List the samples of a revision, in the order of the upload" },
  })
  .get("/datasets/:id/export", notImplemented("GET /v1/datasets/:id/export"), {
    params: PathId,
    query: ExportQuery,
    detail: {
      summary: "Download a revision",
      ...downloads("application/jsonl", "text/csv"),
    },
  });
