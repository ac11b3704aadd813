import { createHash } from "node:crypto";
import type { Db } from "../../db/client";
import * as store from "../../db/uploads";
import { blocksOf } from "../../lib/blocks";
import { AppError } from "../../lib/errors";
import { Garbage } from "../../lib/garbage";
import { newId } from "../../lib/ids";

/** Size of one stored part. Each part takes one short transaction. */
const PART_BYTES = 256 * 1024;
/** Bytes received between two garbage collections, each of which blocks the thread for 20 to 30 ms. */
const BYTES_PER_COLLECTION = 8 * 1_048_576;
/** Texts of one transaction. */
const TEXTS_AT_ONCE = 50;
const DELETE_PARTS = 32;
const MAX_DISCARDS_PER_CALL = 100;
/** An upload that is not imported within this time is deleted. */
const KEEP_MS = 24 * 3_600_000;

/** An upload in the database, waiting for a worker. */
export interface Upload {
  id: string;
  /** The file name sent by the client, made safe to display. */
  fileName: string | null;
  sizeBytes: number;
  /** In hexadecimal. */
  sha256: string;
}

type Pieces = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

interface UploadDeps {
  db: Db;
  maxBytes: number;
  now?: () => Date;
}

export type Uploads = ReturnType<typeof createUploads>;

export const createUploads = ({ db, maxBytes, now = () => new Date() }: UploadDeps) => {
  const garbage = new Garbage(BYTES_PER_COLLECTION);
  const discard = async (id: string): Promise<void> => {
    while (!(await store.deleteUploadParts(db, id, DELETE_PARTS)));
  };

  return {
    discard,

    /** Stores `source` piece by piece. Throws payload_too_large. Nothing is kept if this or `source` fails. */
    async receive(
      source: Pieces,
      { fileName, createdBy }: { fileName: string | null; createdBy: string },
    ): Promise<Upload> {
      const id = newId("upload");
      const name = fileName === null ? null : displayName(fileName);
      await db.write((tx) => store.insertUpload(tx, { id, fileName: name, createdBy }, now()));
      const hash = createHash("sha256");
      let sizeBytes = 0;
      let position = 0;
      try {
        for await (const bytes of inParts(source)) {
          sizeBytes += bytes.length;
          if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
          hash.update(bytes);
          await store.insertUploadPart(db, { uploadId: id, position, bytes });
          position += 1;
          garbage.note(bytes.length);
        }
        const sha256 = hash.digest("hex");
        await db.write((tx) => store.completeUpload(tx, id, { sizeBytes, sha256 }));
        return { id, fileName: name, sizeBytes, sha256 };
      } catch (error) {
        await discard(id);
        throw error;
      }
    },

    /** Stores texts that a request sent as JSON, many at a time. Nothing is kept if this fails. */
    async receiveTexts(texts: readonly { fileName: string; text: string }[], createdBy: string): Promise<Upload[]> {
      const files = texts.map(({ fileName, text }) => {
        const bytes = Buffer.from(text);
        const sha256 = createHash("sha256").update(bytes).digest("hex");
        return { id: newId("upload"), fileName: displayName(fileName), createdBy, sha256, bytes };
      });
      try {
        for (const some of blocksOf(files, TEXTS_AT_ONCE)) {
          await db.write((tx) => store.insertUploads(tx, some, now()));
        }
      } catch (error) {
        for (const { id } of files) await discard(id);
        throw error;
      }
      return files.map(({ id, fileName, bytes, sha256 }) => ({ id, fileName, sizeBytes: bytes.length, sha256 }));
    },

    async get(id: string, createdBy: string): Promise<Upload> {
      const row = await store.findUpload(db, id);
      if (row?.state !== "complete" || row.createdBy !== createdBy || row.sha256 === null) {
        throw gone();
      }
      return { id, fileName: row.fileName, sizeBytes: row.sizeBytes, sha256: row.sha256 };
    },

    /** In bytes; 0 if the upload was deleted. */
    sizeOf: async (id: string): Promise<number> => (await store.findUpload(db, id))?.sizeBytes ?? 0,

    /** The upload's bytes in order, read on demand. Throws not_found if any of them were deleted. */
    async *read(id: string): AsyncGenerator<Uint8Array> {
      const row = await store.findUpload(db, id);
      let sizeBytes = 0;
      for (let position = 0; sizeBytes < (row?.sizeBytes ?? 1); position++) {
        const bytes = await store.findUploadPart(db, id, position);
        if (!bytes) throw gone();
        sizeBytes += bytes.length;
        yield bytes;
      }
    },

    /** Deletes the uploads of finished jobs. Cheap if there are none. */
    async discardSpent(): Promise<void> {
      for (const id of await store.listSpentUploads(db, MAX_DISCARDS_PER_CALL)) await discard(id);
    },

    async sweep(): Promise<void> {
      const old = await store.listOldUploads(db, new Date(now().getTime() - KEEP_MS), MAX_DISCARDS_PER_CALL);
      for (const id of old) await discard(id);
    },
  };
};

const gone = (): AppError => new AppError("not_found", "This upload no longer exists. Choose the file again.");

const tooLarge = (maxBytes: number): AppError =>
  new AppError(
    "payload_too_large",
    `The file is larger than the limit of ${maxBytes} bytes. Split it, or raise GROUNDWIRE_MAX_UPLOAD_BYTES.`,
  );

/** The last part of a path, on one line, without invisible characters or characters that change the text direction. */
const displayName = (fileName: string): string => {
  const base = fileName.split(/[\\/]/).at(-1) ?? "";
  return (
    base
      .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}"]/gu, "")
      .trim()
      .slice(0, 200) || "upload"
  );
};

/** The same bytes in parts of equal size. The last one may be shorter. */
async function* inParts(source: Pieces): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of source) {
    waiting.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes < PART_BYTES) continue;
    const bytes = Buffer.concat(waiting);
    let from = 0;
    for (; bytes.length - from >= PART_BYTES; from += PART_BYTES) yield bytes.subarray(from, from + PART_BYTES);
    waiting = from < bytes.length ? [bytes.subarray(from)] : [];
    sizeBytes = bytes.length - from;
  }
  if (sizeBytes > 0) yield Buffer.concat(waiting);
}
