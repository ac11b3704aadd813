import { AppError } from "../../../lib/errors";
import { Garbage } from "../../../lib/garbage";
import { fromSent } from "../../../lib/thread-errors";
import type { ValidationReport } from "../contract";
import { type ColumnMapping, checkMapping } from "./columns/mapping";
import { detectFormat, type FileFormat } from "./formats/detect-format";
import { invalid, type ReadingLimits } from "./limits";
import type { SampleBatch } from "./samples/read-samples";
import { spool } from "./spool";
import { type Patience, ReadingThread, type ToWorker } from "./thread";

interface UploadSource {
  /** As the sender named the file: only its extension is looked at. */
  name: string;
  bytes: AsyncIterable<Uint8Array>;
}

export interface UploadOptions extends Patience {
  limits: ReadingLimits;
  /** Folder for the file that the upload is read from; it is gone when reading has ended. */
  spoolDir: string;
  /** Left out: by name and content. */
  format?: FileFormat;
  mapping?: ColumnMapping;
  /** JSON Schema of the dataset, which `checkSampleSchema` has passed. */
  schema?: unknown;
}

/** Bytes that the format is detected from. */
const HEAD_BYTES = 65_536;
/**
 * Between two collections of garbage in this thread, whose other work waits meanwhile as it would for a collection that
 * comes by itself, only later.
 */
const COLLECT_CHARACTERS = 8_388_608;

const STALLED = "Reading the upload stands still, so it was given up. Try it in smaller parts.";

/** A damaged page can keep the decoder of Parquet busy for hours, and a second try would not help. */
const asDamaged = (error: unknown): never => {
  if (!(error instanceof AppError) || error.kind !== "deadline_exceeded") throw error;
  throw invalid("the Parquet file is damaged: a page takes too long to decode. Write it again.");
};

/**
 * Writes an upload to a file, reads it in a Worker and returns the report. Reading goes on when the next batch is asked for.
 * Throws
 * - dataset_invalid, payload_too_large: nothing after that place can be read; batches before it have been handed out,
 * - invalid_request: mapping or schema can't be,
 * - deadline_exceeded: for `stallMs` neither bytes came nor reading went on,
 * - client_closed: `signal` was aborted,
 * - internal: the Worker crashed.
 */
export async function* readUpload(
  { name, bytes }: UploadSource,
  { limits, spoolDir, format: declared, mapping = {}, schema, ...patience }: UploadOptions,
): AsyncGenerator<SampleBatch, ValidationReport> {
  checkMapping(mapping);
  await using file = await spool(bytes, spoolDir, limits, patience);
  const { path } = file;
  const format = detectFormat(await Bun.file(path).slice(0, HEAD_BYTES).bytes(), name, declared);
  using thread = new ReadingThread(patience, STALLED);
  const garbage = new Garbage(COLLECT_CHARACTERS);
  const ask = (message: ToWorker) =>
    format === "parquet" ? thread.ask(message).catch(asDamaged) : thread.ask(message);
  let reply = await ask({ kind: "job", job: { format, path, limits, mapping, schema } });
  while (reply.kind === "batch") {
    garbage.note(reply.batch.characters);
    yield reply.batch;
    reply = await ask({ kind: "go" });
  }
  if (reply.kind === "report") return reply.report;
  if (reply.kind === "refused") throw fromSent(reply.error);
  throw new Error("An upload is not answered like a schema.");
}
