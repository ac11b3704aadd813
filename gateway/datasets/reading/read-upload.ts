import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../lib/errors";
import { Garbage } from "../../../lib/garbage";
import { fromSent } from "../../../lib/thread-errors";
import type { ValidationReport } from "../contract";
import { type ColumnMapping, checkMapping } from "./columns/mapping";
import { detectFormat, type FileFormat } from "./formats/detect-format";
import { formatBytes, invalid, type ReadingLimits, tooLarge } from "./limits";
import type { SampleBatch } from "./samples/read-samples";
import { type Patience, ReadingThread, type ToWorker, waitFor } from "./thread";

interface UploadSource {
  /** The file name from the upload. Only its extension is used. */
  name: string;
  bytes: AsyncIterable<Uint8Array>;
}

export interface UploadOptions extends Patience {
  limits: ReadingLimits;
  /**
   * Folder for the temporary file that the upload is read from. The file is unlinked immediately, so it disappears with
   * this process.
   */
  spoolDir: string;
  /** Default: detected from the name and content. */
  format?: FileFormat;
  mapping?: ColumnMapping;
  /** The dataset's JSON Schema, already checked by `checkSampleSchema`. */
  schema?: unknown;
}

const HEAD_BYTES = 65_536;
/** This thread collects garbage each time batches add up to this size. A collection blocks it for 10 to 30 ms. */
const BYTES_PER_COLLECTION = 2 * 1_048_576;
/** Garbage from storing a sample, in addition to its text. It matters if there are many short samples. */
const SAMPLE_BYTES = 1024;
/** A string takes two bytes per character if any of its characters is outside Latin-1. */
const CHARACTER_BYTES = 2;

const STALLED = "Reading the upload stalled. Try again with smaller files.";

/** A damaged page can keep the Parquet decoder busy for hours, and a retry wouldn't help. */
const asDamaged = (error: unknown): never => {
  if (!(error instanceof AppError) || error.kind !== "deadline_exceeded") throw error;
  throw invalid("the Parquet file is damaged: a page takes too long to decode. Write it again.");
};

/**
 * Writes an upload to a file, reads it in a Worker and returns the report. Reading continues when the next batch is
 * requested. Throws
 * - dataset_invalid, payload_too_large: nothing after that position can be read; earlier batches have been returned,
 * - invalid_request: the mapping or schema is invalid,
 * - deadline_exceeded: no bytes arrived and reading made no progress for `stallMs`,
 * - client_closed: `signal` was aborted,
 * - internal: the Worker crashed.
 */
export async function* readUpload(
  { name, bytes }: UploadSource,
  { limits, spoolDir, format: declared, mapping = {}, schema, ...patience }: UploadOptions,
): AsyncGenerator<SampleBatch, ValidationReport> {
  checkMapping(mapping);
  await using file = await spool(bytes, spoolDir, limits, patience);
  const { fd } = file;
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(HEAD_BYTES), position: 0 });
  const format = detectFormat(buffer.subarray(0, bytesRead), name, declared);
  using thread = new ReadingThread(patience, STALLED);
  if (format === "parquet") thread.watchMemory();
  const garbage = new Garbage(BYTES_PER_COLLECTION);
  const ask = (message: ToWorker) =>
    format === "parquet" ? thread.ask(message).catch(asDamaged) : thread.ask(message);
  let reply = await ask({ kind: "job", job: { format, fd, limits, mapping, schema } });
  while (reply.kind === "batch") {
    const { characters, samples } = reply.batch;
    garbage.note(CHARACTER_BYTES * characters + SAMPLE_BYTES * samples.length);
    yield reply.batch;
    reply = await ask({ kind: "go" });
  }
  if (reply.kind === "report") return reply.report;
  if (reply.kind === "refused") throw fromSent(reply.error);
  throw new Error("Unreachable: the Worker answered an upload with a schema's result.");
}

const SOURCE_STALLED = "The upload stalled. Send it again.";

/**
 * Writes an upload to a new file in `dir`, which is unlinked while open. Throws payload_too_large beyond the limit,
 * deadline_exceeded if no bytes arrive, client_closed if aborted.
 */
const spool = async (
  bytes: AsyncIterable<Uint8Array>,
  dir: string,
  { maxUploadBytes }: ReadingLimits,
  patience: Patience,
): Promise<FileHandle> => {
  await mkdir(dir, { recursive: true });
  const path = join(dir, `upload-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  const pieces = bytes[Symbol.asyncIterator]();
  try {
    await unlink(path);
    let total = 0;
    for (;;) {
      const { done, value: piece } = await waitFor(pieces.next(), patience, SOURCE_STALLED);
      if (done) return file;
      total += piece.length;
      if (total > maxUploadBytes)
        throw tooLarge(
          `the upload is larger than ${formatBytes(maxUploadBytes)}. Split it, or raise GROUNDWIRE_MAX_UPLOAD_BYTES.`,
        );
      await file.writeFile(piece);
    }
  } catch (error) {
    await file.close();
    throw error;
  } finally {
    // A hanging source ignores this too.
    void pieces.return?.().catch(() => undefined);
  }
};
