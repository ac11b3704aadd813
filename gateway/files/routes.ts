import { Elysia } from "elysia";
import { PathId } from "../contract";
import { auth } from "../http/auth";
import { ownBody } from "../http/body";
import { download } from "../http/download";
import { allows, creates, downloads, reads, runsLong } from "../http/route-facts";
import type { Idempotency } from "../idempotency/service";
import { File, FileDeleted, FileForm, FileList, FileQuery } from "./contract";
import type { Files } from "./service";

/** Files for batches, in OpenAI's format. */
export const fileRoutes = ({ files, idempotency }: { files: Files; idempotency: Idempotency }) =>
  new Elysia({ name: "files.routes", prefix: "/v1/files", tags: ["Batches"] })
    .use(auth)
    .post(
      "",
      ({ principal, exchange }) =>
        files.create(principal, ownBody(exchange), (sent, make) => idempotency.once(exchange, principal, sent, make)),
      {
        response: { 200: File },
        detail: {
          ...allows("member"),
          summary: "Upload the requests of a batch, in OpenAI's format",
          description:
            "JSON Lines, at most GROUNDWIRE_MAX_UPLOAD_BYTES. The lines are checked when a batch is created. Without `expires_after`, the file is kept for GROUNDWIRE_FILE_DAYS.",
          ...reads(FileForm),
          ...runsLong,
          ...creates,
        },
      },
    )
    .get("", ({ principal, query }) => files.list(principal, query), {
      query: FileQuery,
      response: { 200: FileList },
      detail: { ...allows("member"), summary: "List your key's files" },
    })
    .get("/:id", ({ principal, params }) => files.get(principal, params.id), {
      params: PathId,
      response: { 200: File },
      detail: { ...allows("member"), summary: "Read a file's details" },
    })
    .get("/:id/content", async ({ principal, params }) => download(await files.content(principal, params.id)), {
      params: PathId,
      detail: {
        ...allows("member"),
        summary: "Download a file",
        ...downloads("application/jsonl"),
        ...runsLong,
      },
    })
    .delete("/:id", ({ principal, params }) => files.remove(principal, params.id), {
      params: PathId,
      response: { 200: FileDeleted },
      detail: {
        ...allows("member"),
        summary: "Delete a file",
        description: "A file can't be deleted while a batch is using it.",
      },
    });
