import { fromSent } from "../../../lib/thread-errors";
import type { ValidationReport } from "../contract";
import { spool, toBlocks } from "./blocks";
import { type ColumnMapping, checkMapping } from "./columns/mapping";
import { detectFormat, type FileFormat } from "./formats/detect-format";
import { Garbage } from "./garbage";
import type { ReadingLimits } from "./limits";
import type { SampleBatch } from "./samples/read-samples";
import { type Patience, type ReadingJob, ReadingThread } from "./thread";

interface UploadSource {
  /** As the sender named the file: only its extension is looked at. */
  name: string;
  bytes: AsyncIterable<Uint8Array>;
}

export interface UploadOptions extends Patience {
  limits: ReadingLimits;
  /** Folder for the file that Parquet is read from; it is gone when reading has ended. */
  spoolDir: string;
  /** Left out: by name and content. */
  format?: FileFormat;
  mapping?: ColumnMapping;
  /** JSON Schema of the dataset, which `checkSampleSchema` has passed. */
  schema?: unknown;
}

/**
 * Between two collections of garbage in this thread, whose other work waits meanwhile as it would for a collection that
 * comes by itself, only later.
 */
const COLLECT_CHARACTERS = 8_388_608;

const STALLED = "Reading the upload stands still, so it was given up. Try it in smaller parts.";

/** Samples in order, possibly none, with the bytes that have been pulled: of Parquet, which is taken in first, all. */
type UploadBatch = SampleBatch & { bytes: number };

/**
 * Reads an upload in a Worker and returns the report. Both ways one piece is on its way at a time: bytes are pulled as they
 * are read, and reading goes on when the next batch is asked for. Throws
 * - dataset_invalid, payload_too_large: nothing after that place can be read; batches before it have been handed out,
 * - invalid_request: mapping or schema can't be,
 * - deadline_exceeded: for `stallMs` neither bytes came nor reading went on,
 * - client_closed: `signal` was aborted,
 * - internal: the Worker crashed.
 */
export async function* readUpload(
  { name, bytes }: UploadSource,
  { limits, spoolDir, format: declared, mapping = {}, schema, ...patience }: UploadOptions,
): AsyncGenerator<UploadBatch, ValidationReport> {
  checkMapping(mapping);
  const source = toBlocks(bytes, limits, patience);
  try {
    const { value: head = new Uint8Array() } = await source.next();
    const format = detectFormat(head, name, declared);
    const blocks = new CountedBlocks(head, source);
    const options = { limits, mapping, schema };
    if (format !== "parquet") return yield* readInThread({ ...options, format }, blocks, patience);
    await using file = await spool(blocks.all, spoolDir);
    return yield* readInThread({ ...options, format, path: file.path }, blocks, patience);
  } finally {
    await source.return(undefined);
  }
}

type Block = Uint8Array<ArrayBuffer>;

/** A first block and those after it, with the bytes that have been pulled. */
class CountedBlocks {
  bytes = 0;
  readonly all: AsyncGenerator<Block, undefined>;

  constructor(head: Block, rest: AsyncIterable<Block>) {
    this.all = this.#count(head, rest);
  }

  async *#count(head: Block, rest: AsyncIterable<Block>): AsyncGenerator<Block, undefined> {
    this.bytes += head.length;
    yield head;
    for await (const block of rest) {
      this.bytes += block.length;
      yield block;
    }
    return undefined;
  }
}

async function* readInThread(
  job: ReadingJob,
  blocks: CountedBlocks,
  patience: Patience,
): AsyncGenerator<UploadBatch, ValidationReport> {
  const thread = new ReadingThread(patience, STALLED);
  const garbage = new Garbage(COLLECT_CHARACTERS);
  try {
    let reply = await thread.ask({ kind: "job", job });
    for (;;) {
      switch (reply.kind) {
        case "pull": {
          const { value, done } = await blocks.all.next();
          reply = await thread.ask(done ? { kind: "end" } : { kind: "block", bytes: value });
          break;
        }
        case "batch":
          garbage.note(reply.batch.characters);
          yield { ...reply.batch, bytes: blocks.bytes };
          reply = await thread.ask({ kind: "go" });
          break;
        case "report":
          return reply.report;
        case "refused":
          throw fromSent(reply.error);
        case "usable":
          throw new Error("An upload is not answered like a schema.");
      }
    }
  } finally {
    thread.close();
  }
}
