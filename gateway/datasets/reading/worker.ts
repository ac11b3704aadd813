import { createReadStream } from "node:fs";
import { answerQuestions } from "../../../lib/worker-client";
import { type RowSource, readSamples } from "./samples/read-samples";
import type { FromWorker, ReadingJob, ToWorker } from "./thread";

/* Entry point of the Worker that reads one upload, or checks one schema. */

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

let batches: ReturnType<typeof readSamples> | undefined;

answerQuestions<ToWorker, FromWorker>(async (message) => {
  if (message.kind === "schema") {
    // The validator is large, so it is only loaded if there is a schema.
    const { checkSampleSchema } = await import("./samples/schema");
    checkSampleSchema(message.schema);
    return { kind: "usable" };
  }
  if (message.kind === "job") batches = readSamples(sourceOf(message.job), message.job);
  if (!batches) throw new Error("Unreachable: a Worker was asked for the next answer without a job.");
  const { done, value } = await batches.next();
  return done ? { kind: "report", report: value } : { kind: "batch", batch: value };
});
