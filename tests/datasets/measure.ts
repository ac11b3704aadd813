/**
 * Reads an upload in a separate process and prints by how much the process's memory grew: `bun
 * tests/datasets/measure.ts NAME`, where NAME is one of `UPLOADS` or the path of a Parquet file. A small upload is read
 * first, so that code is already loaded. The last line of stdout is a `Measured` as JSON.
 */
import { tmpdir } from "node:os";
import { readUpload, type UploadOptions } from "../../gateway/datasets/reading/read-upload";
import { AppError } from "../../lib/errors";
import { UPLOADS, type Upload } from "./uploads";

export interface Measured {
  /** Peak growth of resident memory, including the worker thread's. */
  grownBytes: number;
  samples: number;
  rows: number;
  error?: { kind: string; message: string };
  ms: number;
}

const SAMPLING_MS = 2;

const options: UploadOptions = {
  limits: { maxUploadBytes: 64 * 1_048_576, maxRows: 100_000, maxRowBytes: 1_048_576, maxColumns: 256 },
  stallMs: 60_000,
  spoolDir: tmpdir(),
};

const ofFile = (path: string): Upload => ({
  name: path,
  bytes: () => Bun.file(path).stream(),
  ending: { samples: 0, rows: 0 },
});

const read = async (upload: Upload, see: () => void): Promise<Pick<Measured, "samples" | "rows" | "error">> => {
  const read: Pick<Measured, "samples" | "rows" | "error"> = { samples: 0, rows: 0 };
  try {
    for await (const batch of readUpload({ ...upload, bytes: upload.bytes() }, { ...options, ...upload.options })) {
      read.samples += batch.samples.length;
      read.rows = batch.rows;
      see();
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    read.error = { kind: error.kind, message: error.message };
  }
  return read;
};

const small: Upload = {
  name: "small.jsonl",
  async *bytes() {
    yield Buffer.from('{"question": "What is it?", "answer": "A question"}\n'.repeat(500));
  },
  ending: { samples: 1, rows: 500 },
};

const [name = ""] = process.argv.slice(2);
await read(small, () => undefined);
Bun.gc(true);

const before = process.memoryUsage.rss();
let peak = before;
const see = () => {
  peak = Math.max(peak, process.memoryUsage.rss());
};
const timer = setInterval(see, SAMPLING_MS);
const startedAt = performance.now();
const outcome = await read(UPLOADS[name] ?? ofFile(name), see);
const measured: Measured = { ...outcome, grownBytes: peak - before, ms: performance.now() - startedAt };
clearInterval(timer);
console.log(JSON.stringify(measured));
