import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { appendAudit } from "../../db/audit";
import { findBatchReading } from "../../db/batches";
import type { Db, Reads } from "../../db/client";
import { deleteFile, type FileRow, findFile, insertFile, listExpiredFiles, listFiles } from "../../db/files";
import { AppError } from "../../lib/errors";
import { newId } from "../../lib/ids";
import { assertMayStore } from "../content-logging";
import type { Seal } from "../idempotency/service";
import { idListOf } from "../paging";
import type { Principal } from "../principal";
import { receiveForm, type UploadBody } from "../uploads/multipart";
import type { Upload, Uploads } from "../uploads/service";
import { refuseBadText } from "../validation/json";
import { invalidRequest } from "../validation/problems";
import { toUnixSeconds } from "../wire";
import { type File, type FileDeleted, FileForm, type FileList, type FileQuery } from "./contract";

const DEFAULT_LIMIT = 100;
const MAX_SWEPT = 100;

interface FilesDeps {
  db: Db;
  uploads: Pick<Uploads, "receive" | "discard" | "read">;
  /** How many days files without `expires_after` are kept. */
  days: number;
  now?: () => Date;
}

/** Calls `make`, unless the same request was sent before; see `Idempotency.once`. */
type Once = (sent: unknown, make: (seal: Seal) => Promise<File>) => Promise<File>;

export type Files = ReturnType<typeof createFiles>;

/** The files of `/v1/files`. A key only sees its own. */
export const createFiles = ({ db, uploads, days, now = () => new Date() }: FilesDeps) => {
  const find = async (reads: Reads, { keyId }: Pick<Principal, "keyId">, id: string): Promise<FileRow> => {
    const row = await findFile(reads, keyId, id);
    if (row) return row;
    throw new AppError("not_found", `File ${id} not found. GET /v1/files lists the files of your key.`, {
      param: "id",
    });
  };

  return {
    /**
     * Stores the file of a form while it arrives. If it throws, nothing is kept. Throws invalid_request,
     * payload_too_large, and insufficient_role if the key's content may not be stored.
     */
    async create(principal: Principal, body: UploadBody, once: Once): Promise<File> {
      assertMayStore(principal, "files", "Send the requests one by one.");
      if (!body.contentType.toLowerCase().startsWith("multipart/form-data")) {
        throw new AppError("invalid_request", "Send a form: multipart/form-data, with the fields file and purpose.");
      }
      const { file: upload, fields } = await receiveForm(body, uploads, principal);
      let isKept = false;
      try {
        const seconds = readForm(upload, fields);
        const { id: uploadId, fileName, sizeBytes, sha256 } = upload as Upload;
        return await once({ ...fields, file: fileName, sha256 }, async (seal) => {
          const row = newFile({ createdBy: principal.keyId, seconds, days }, now());
          const stored = {
            ...row,
            uploadId,
            purpose: "batch" as const,
            filename: fileName ?? row.id,
            bytes: sizeBytes,
          };
          await db.write(async (tx) => {
            await insertFile(tx, stored);
            const detail = { bytes: sizeBytes };
            await appendAudit(tx, { at: now(), actor: principal, action: "file.create", target: row.id, detail });
            await seal(tx, toFile(stored));
          });
          isKept = true;
          return toFile(stored);
        });
      } finally {
        if (upload && !isKept) await uploads.discard(upload.id);
      }
    },

    async list({ keyId }: Principal, { limit = DEFAULT_LIMIT, order, ...query }: FileQuery): Promise<FileList> {
      const rows = await listFiles(db, keyId, { ...query, limit: limit + 1, isAscending: order === "asc" });
      return idListOf(rows, limit, toFile);
    },

    /** Throws not_found, as every method does. */
    get: async (principal: Principal, id: string): Promise<File> => toFile(await find(db, principal, id)),

    async content(principal: Principal, id: string) {
      const { uploadId } = await find(db, principal, id);
      return { name: `${id}.jsonl`, mediaType: "application/jsonl", content: uploads.read(uploadId) };
    },

    /** Deletes a file. Throws conflict while a batch reads it. */
    async remove(principal: Principal, id: string): Promise<FileDeleted> {
      const { uploadId } = await db.write(async (tx) => {
        const row = await find(tx, principal, id);
        const reader = await findBatchReading(tx, id);
        if (reader !== undefined) {
          throw new AppError(
            "conflict",
            `Batch ${reader} is using this file. Cancel the batch, or wait until it ends.`,
          );
        }
        await deleteFile(tx, id);
        await appendAudit(tx, { at: now(), actor: principal, action: "file.delete", target: id });
        return row;
      });
      await uploads.discard(uploadId);
      return { id, object: "file", deleted: true };
    },

    /** Deletes expired files. */
    async sweep(): Promise<void> {
      for (const { id, uploadId } of await listExpiredFiles(db, now(), MAX_SWEPT)) {
        const isDeleted = await db.write(async (tx) => {
          // A batch may have been created since.
          if ((await findBatchReading(tx, id)) !== undefined) return false;
          await deleteFile(tx, id);
          return true;
        });
        if (isDeleted) await uploads.discard(uploadId);
      }
    },
  };
};

/**
 * The columns of a new file that don't depend on its content. It is kept for `seconds`, or for `days` if that is null.
 */
export const newFile = (
  { createdBy, seconds, days }: { createdBy: string; seconds: number | null | undefined; days: number },
  createdAt: Date,
): Pick<FileRow, "id" | "createdBy" | "createdAt" | "expiresAt"> => ({
  id: newId("file"),
  createdBy,
  createdAt,
  expiresAt: new Date(createdAt.getTime() + 1000 * (seconds ?? 86_400 * days)),
});

const { file: _, ...FIELDS } = FileForm.properties;
const FormFields = Type.Object(FIELDS, { additionalProperties: false });

/** Checks a form and returns its `expires_after[seconds]`. Throws invalid_request. */
const readForm = (upload: Upload | undefined, fields: Record<string, string>): number | undefined => {
  if (!upload) {
    throw new AppError("invalid_request", "file is missing. Send the file in this field of the form.", {
      param: "file",
    });
  }
  refuseBadText(fields);
  const text = fields["expires_after[seconds]"];
  const seconds = text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  const values = { ...fields, ...(seconds !== undefined && { "expires_after[seconds]": seconds }) };
  if (!Value.Check(FormFields, values)) throw invalidRequest(Value.Errors(FormFields, values));
  return seconds;
};

const toFile = ({ id, bytes, createdAt, expiresAt, filename, purpose }: FileRow): File => ({
  id,
  object: "file",
  bytes,
  created_at: toUnixSeconds(createdAt),
  expires_at: toUnixSeconds(expiresAt),
  filename,
  purpose,
  status: "processed",
});
