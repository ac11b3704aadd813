import { createReadStream } from "node:fs";
import { toSent } from "../../../lib/thread-errors";
import { type RowSource, readSamples } from "./samples/read-samples";
import type { FromWorker, ReadingJob, ToWorker } from "./thread";

/* Entry point of the Worker that reads one upload, or checks one schema. */

declare const self: Worker;

const BLOCK_BYTES = 65_536;

const sourceOf = ({ format, fd, mapping }: ReadingJob): RowSource => {
  if (format !== "parquet") {
    const blocks = createReadStream("", { fd, start: 0, autoClose: false, highWaterMark: BLOCK_BYTES });
    return { format, blocks };
  }
  return {
    format,
    fd,
    leftOut: new Set(Object.keys(mapping).filter((column) => mapping[column] === null)),
  };
};

/** Sends a batch and waits until the next one is requested. */
const handOut = (message: FromWorker): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  self.onmessage = () => resolve();
  self.postMessage(message);
  return promise;
};

const read = async (job: ReadingJob): Promise<FromWorker> => {
  const batches = readSamples(sourceOf(job), job);
  for (;;) {
    const { done, value } = await batches.next();
    if (done) return { kind: "report", report: value };
    await handOut({ kind: "batch", batch: value });
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
