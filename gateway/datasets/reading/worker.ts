import { toSent } from "../../../lib/thread-errors";
import { type RowSource, readSamples } from "./samples/read-samples";
import type { FromWorker, ReadingJob, ToWorker } from "./thread";

/* Entry of the Worker that reads one upload, or checks one schema. */

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
  const batches = readSamples(sourceOf(job), job);
  for (;;) {
    const { done, value } = await batches.next();
    if (done) return { kind: "report", report: value };
    await ask({ kind: "batch", batch: value });
  }
};

/** The validator is large, so it is only loaded if there is a schema. */
const check = async (schema: unknown): Promise<FromWorker> => {
  const { checkSampleSchema } = await import("./samples/schema");
  checkSampleSchema(schema);
  return { kind: "usable" };
};

const answer = (message: ToWorker): Promise<FromWorker> | undefined => {
  if (message.kind === "job") return read(message.job);
  return message.kind === "schema" ? check(message.schema) : undefined;
};

self.onmessage = async ({ data }: MessageEvent<ToWorker>) => {
  const reply = await answer(data)?.catch((error): FromWorker => ({ kind: "refused", error: toSent(error) }));
  if (reply) self.postMessage(reply);
};
