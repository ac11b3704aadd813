import { createClient } from "@libsql/client";
import { ERROR_KINDS, type ErrorKind } from "../../lib/errors";
import { alignColumns } from "../../lib/table";
import { sendUpload } from "../datasets/send-upload";
import { UPLOADS, type Upload } from "../datasets/uploads";
import { Stack } from "../harness";
import { watchGrowth } from "../memory-growth";
import { until } from "../until";

/**
 * Sends large and hostile files to a real gateway with a real jobs worker: `bun run faults`. Prints each result and the
 * memory of both processes. Exits with 1 if a limit is exceeded or a rejected file leaves anything behind.
 * `bun tests/faults/upload-bombs.ts emoji` sends only the files with "emoji" in their names.
 */

const [WANTED = ""] = process.argv.slice(2);
const MAX_GROWTH_MIB = 64;

/** A file without a usable row is read to its end and rejected. */
const wanted = ({ ending }: Upload): number => {
  if ("kind" in ending) return ERROR_KINDS[ending.kind as ErrorKind].status;
  return ending.samples > 0 ? 201 : 422;
};

/** Maximum wait for staged rows to be deleted, which happens after the response. */
const CLEARED_MS = 10_000;

/** Rows that a rejected upload has left behind. */
const leftovers = async (stack: Stack, name: string): Promise<number> => {
  const database = createClient({ url: `file:${stack.folder}/data/groundwire.db` });
  const sql = `SELECT (SELECT COUNT(*) FROM datasets WHERE name = ?)
    + (SELECT COUNT(*) FROM uploads) + (SELECT COUNT(*) FROM upload_parts)
    + (SELECT COUNT(*) FROM dataset_revisions WHERE revision IS NULL)
    + (SELECT COUNT(*) FROM revision_samples JOIN dataset_revisions AS r ON r.id = revision_id WHERE r.revision IS NULL)`;
  const count = async () => Number((await database.execute({ sql, args: [name] })).rows[0]?.[0]);
  try {
    await until("nothing is left", async () => (await count()) === 0, CLEARED_MS).catch(() => undefined);
    return await count();
  } finally {
    database.close();
  }
};

const stack = await Stack.start({ engine: "synthetic", workers: 1 });
const pids = [stack.gateway.pid, stack.workers[0]?.pid ?? 0];
let isBroken = false;
const rows = [["upload", "status", "gateway", "worker", "seconds", "answer"]];
try {
  // Loads the code first, so that it doesn't count as growth.
  const small = UPLOADS["100,000 rows of JSONL"];
  if (small) await sendUpload(stack.url, "warm", small);
  for (const [what, upload] of Object.entries(UPLOADS)) {
    if (!what.includes(WANTED)) continue;
    const startedMs = performance.now();
    const growth = watchGrowth(pids);
    const { status, message } = await sendUpload(stack.url, what, upload);
    const [gateway = 0, worker = 0] = growth();
    const left = status < 300 ? 0 : await leftovers(stack, what);
    const isWrong = status !== wanted(upload) || left > 0 || Math.max(gateway, worker) > MAX_GROWTH_MIB;
    isBroken ||= isWrong;
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    rows.push([
      what,
      String(status),
      `${gateway.toFixed(0)} MiB`,
      `${worker.toFixed(0)} MiB`,
      seconds,
      `${isWrong ? "BROKEN " : ""}${message.slice(0, 60)}`,
    ]);
  }
} finally {
  await stack.stop();
}
console.log(alignColumns(rows).join("\n"));
process.exit(isBroken ? 1 : 0);
