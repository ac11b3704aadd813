import { AppError } from "../../../lib/errors";
import type { FromWorker, ReadingJob, ToWorker } from "./protocol";
import type { RowSource } from "./read-rows";
import { readSamples } from "./read-samples";

/* Entry of the Worker that reads one upload. What it throws beside AppErrors ends it, and its caller hears of that. */

declare const self: Worker;

const ask = (message: FromWorker): Promise<ToWorker> => {
  const { promise, resolve } = Promise.withResolvers<ToWorker>();
  self.onmessage = ({ data }: MessageEvent<ToWorker>) => resolve(data);
  self.postMessage(message);
  return promise;
};

async function* pullBlocks(): AsyncGenerator<Uint8Array> {
  for (;;) {
    const reply = await ask({ kind: "pull" });
    if (reply.kind !== "block") return;
    yield reply.bytes;
  }
}

const sourceOf = (job: ReadingJob): RowSource => {
  if (job.format !== "parquet") return { format: job.format, blocks: pullBlocks() };
  const leftOut = Object.keys(job.mapping).filter((column) => job.mapping[column] === null);
  return { format: job.format, path: job.path, leftOut: new Set(leftOut) };
};

const read = async (job: ReadingJob): Promise<FromWorker> => {
  try {
    const batches = readSamples(sourceOf(job), job);
    for (;;) {
      const { done, value } = await batches.next();
      if (done) return { kind: "report", report: value };
      await ask({ kind: "batch", batch: value });
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { param, details } = error.detail;
    return { kind: "refused", error: { kind: error.kind, message: error.message, param, details } };
  }
};

self.onmessage = async ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === "job") self.postMessage(await read(data.job));
};
