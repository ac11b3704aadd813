import * as batches from "../../../db/batches";
import { publishBatchEnd } from "../../../db/ended-work";
import * as files from "../../../db/files";
import { insertUpload } from "../../../db/uploads";
import { AT, LATER, type Step, type StepGroup } from "./step";

const file = (tag: string, name: string): string => `file_${tag}_${name}`;
const batch = (tag: string, name: string): string => `batch_${tag}_${name}`;
const tokens = { input: 3, cached: 1, output: 2, reasoning: 0 };
const LONG_AGO = new Date(0);

const steps: readonly Step[] = [
  {
    name: "insertFile",
    write: (db, tag) =>
      db.write(async (tx) => {
        for (const name of ["kept", "deleted"]) {
          const uploadId = `upload_${file(tag, name)}`;
          await insertUpload(tx, { id: uploadId, fileName: name, createdBy: tag }, AT);
          const row = { uploadId, filename: name, bytes: 10, createdBy: tag, createdAt: AT, expiresAt: LATER };
          await files.insertFile(tx, { ...row, id: file(tag, name), purpose: "batch" });
        }
      }),
  },
  { name: "deleteFile", write: (db, tag) => db.write((tx) => files.deleteFile(tx, file(tag, "deleted"))) },
  {
    name: "insertBatch",
    write: (db, tag) =>
      db.write(async (tx) => {
        const row = { endpoint: "/v1/completions", inputFileId: file(tag, "kept"), jobId: "none", createdBy: tag };
        const times = { tokens: { input: 0, cached: 0, output: 0, reasoning: 0 }, createdAt: AT, expiresAt: LATER };
        await batches.insertBatch(tx, { ...row, ...times, id: batch(tag, "kept"), status: "in_progress", total: 2 });
        const old = { id: batch(tag, "old"), status: "completed" as const, endedAt: LONG_AGO };
        await batches.insertBatch(tx, { ...row, ...times, ...old });
      }),
  },
  {
    name: "insertBatchResults",
    write: (db, tag) =>
      db.write(async (tx) => {
        const first = { line: 1, isError: false, output: "{}", tokens };
        await batches.insertBatchResults(tx, batch(tag, "kept"), [first]);
        // A request that already has a result keeps it.
        await batches.insertBatchResults(tx, batch(tag, "kept"), [first, { ...first, line: 2, isError: true }]);
      }),
  },
  {
    name: "updateBatch",
    write: (db, tag) =>
      db.write((tx) => batches.updateBatch(tx, batch(tag, "kept"), { status: "completed", endedAt: LATER })),
  },
  { name: "publishBatchEnd", write: (db, tag) => db.write((tx) => publishBatchEnd(tx, batch(tag, "kept"), LATER)) },
  { name: "deleteBatchResults", write: (db, tag) => batches.deleteBatchResults(db, batch(tag, "kept"), 10) },
  { name: "deleteOldBatches", write: (db) => batches.deleteOldBatches(db, new Date(1), 1000) },
];

export const batchFileSteps: StepGroup = {
  steps,
  stateOf: async (db, tag) => {
    const rows = await batches.listBatches(db, tag, { limit: 10 });
    return {
      files: (await files.listFiles(db, tag, { limit: 10, isAscending: true })).map(({ id }) => id),
      batches: rows.map(({ id, status, completed, failed, tokens: used }) => ({ id, status, completed, failed, used })),
      lines: await batches.listEndedLines(db, batch(tag, "kept")),
    };
  },
  finalState: (tag) => ({
    files: [file(tag, "kept")],
    batches: [
      {
        ...{ id: batch(tag, "kept"), status: "completed", completed: 1, failed: 1 },
        used: { input: 6, cached: 2, output: 4, reasoning: 0 },
      },
    ],
    lines: [],
  }),
};
