import { type BatchRow, findBatchOfJob, listOutputs, updateBatch } from "../../db/batches";
import type { Db } from "../../db/client";
import { insertFile } from "../../db/files";
import { newFile } from "../../gateway/files/service";
import type { Upload, Uploads } from "../../gateway/uploads/service";
import type { TaskContext } from "../handler";

/** Maximum results in memory. */
const PAGE = { limit: 500, maxBytes: 2 * 1_048_576 };

interface OutputDeps {
  db: Db;
  /** Uploads without a size limit, because results may be larger than the requests. */
  uploads: Pick<Uploads, "receive" | "discard">;
  /** How many days files are kept by default. */
  fileDays: number;
  now(): Date;
}

async function* linesOf(db: Db, batchId: string, isError: boolean): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for (let after = 0; ; ) {
    const page = await listOutputs(db, batchId, { ...PAGE, isError, after });
    for (const { output } of page) yield encoder.encode(`${output}\n`);
    const last = page.at(-1);
    if (!last) return;
    after = last.line;
  }
}

/** Writes the output and error files of a batch whose requests all have results, then ends the batch and its task. */
export const writeOutputFiles = async (
  { db, uploads, fileDays, now }: OutputDeps,
  context: TaskContext,
  { id, jobId, createdBy, outputSeconds, completed, failed }: BatchRow,
): Promise<void> => {
  const written: Upload[] = [];
  const write = async (name: string, isError: boolean): Promise<Upload> => {
    const upload = await uploads.receive(linesOf(db, id, isError), { fileName: name, createdBy });
    written.push(upload);
    return upload;
  };
  try {
    const output = completed > 0 ? await write(`${id}_output.jsonl`, false) : undefined;
    const errors = failed > 0 ? await write(`${id}_error.jsonl`, true) : undefined;
    await context.finish(async (tx) => {
      const batch = await findBatchOfJob(tx, id, jobId);
      if (!batch?.ending) return {};
      const add = async (upload: Upload | undefined): Promise<string | null> => {
        if (!upload) return null;
        const file = newFile({ createdBy, seconds: outputSeconds, days: fileDays }, now());
        const { id: uploadId, fileName, sizeBytes: bytes } = upload;
        await insertFile(tx, { ...file, uploadId, purpose: "batch_output", filename: fileName ?? file.id, bytes });
        return file.id;
      };
      const files = { outputFileId: await add(output), errorFileId: await add(errors) };
      await updateBatch(tx, id, { ...files, status: batch.ending, endedAt: now() });
      return { total: batch.total, completed, failed };
    });
  } catch (thrown) {
    for (const upload of written) await uploads.discard(upload.id).catch(() => undefined);
    throw thrown;
  }
};
