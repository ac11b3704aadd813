import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Db } from "../db/client";
import { stageRevision } from "../db/datasets";
import { claimTasks, findJob, type JobRow } from "../db/jobs";
import { insertMembers } from "../db/samples";
import { insertWorker } from "../db/workers";
import { toContent, toRow } from "../gateway/datasets/content";
import { IMPORT_KIND, type ImportOptions } from "../gateway/datasets/import-job";
import { createImports } from "../gateway/datasets/imports";
import { createDatasets } from "../gateway/datasets/service";
import { createJobs } from "../gateway/jobs/service";
import { createUploads } from "../gateway/uploads/service";
import { AppError } from "../lib/errors";
import { silentLog } from "../lib/log";
import { defaultConfig } from "../lib/settings";
import { problemOf, temporaryDb } from "../tests/db/temporary";
import { until } from "../tests/until";
import { datasetImport } from "./dataset-import";
import type { TaskContext } from "./handler";
import { JobLoop } from "./loop";

let db: Db;
let loop: JobLoop | undefined;
beforeEach(async () => {
  db = await temporaryDb();
});
afterEach(async () => {
  await loop?.close(0);
  await db.close();
  loop = undefined;
});

const principal = { keyId: "key_1" };
const config = defaultConfig();

const services = () => {
  const uploads = createUploads({ db, maxBytes: config.datasets.maxUploadBytes });
  const datasets = createDatasets({ db });
  const imports = createImports({ db, datasets, jobs: createJobs({ db }), uploads });
  return { uploads, datasets, imports };
};

/** Enqueues an import of these lines and returns its job. */
const enqueue = async (lines: readonly string[], options: Partial<ImportOptions> = {}): Promise<string> => {
  const { uploads, imports } = services();
  const bytes = [Buffer.from(lines.map((line) => `${line}\n`).join(""))];
  const upload = await uploads.receive(bytes, { fileName: "rows.jsonl", createdBy: principal.keyId });
  const target = { mode: "create", name: "rows", description: "", schema: null } as const;
  const request = { target, options: { onError: "skip", dryRun: false, ...options } as const };
  return (await imports.enqueue(principal, upload, request)).job;
};

const work = async (): Promise<void> => {
  const { uploads } = services();
  loop = new JobLoop({
    db,
    log: silentLog(),
    leaseMs: 30_000,
    handlers: [datasetImport({ db, uploads, config, spoolDir: tmpdir() })],
  });
  await loop.open();
};

const ended = async (id: string): Promise<JobRow> => {
  let job: JobRow | undefined;
  await until(`${id} has ended`, async () => {
    job = await findJob(db, id);
    return job?.endedAt != null;
  });
  if (!job) throw new Error(`Job ${id} doesn't exist.`);
  return job;
};

const line = (key: string): string => JSON.stringify({ key, input: `What is ${key}?` });

test("a second attempt does not mix its samples with those of the first attempt", async () => {
  const job = await enqueue(["a", "b", "c"].map(line));
  // The first worker used a different schema, which rejected b, and died.
  const revision = job.replace(/^job/, "rev");
  const members = ["a", "c"].map((key, position) => {
    return { ...toRow({ ...toContent({ input: `What is ${key}?` }), key, hash: key.repeat(64) }), key, position };
  });
  await db.write(async (tx) => {
    await stageRevision(tx, { id: revision, jobId: job, source: null, createdBy: "key_1" }, new Date());
    await insertMembers(tx, revision, members);
  });
  await work();
  expect((await ended(job)).state).toBe("completed");
  const { data } = await services().datasets.samples("rows", {});
  expect(data.map(({ key }) => key)).toEqual(["a", "b", "c"]);
});

test("a failed write stops the reader and leaves no thread or file behind", async () => {
  const { uploads, imports } = services();
  const dataDir = await mkdtemp(join(tmpdir(), "groundwire-import-"));
  const spoolDir = join(dataDir, "spool");
  try {
    const parquet = Bun.file(
      join(import.meta.dir, "../gateway/datasets/reading/formats/parquet/fixtures/pyarrow.parquet"),
    );
    const upload = await uploads.receive(parquet.stream(), { fileName: "rows.parquet", createdBy: principal.keyId });
    const target = { mode: "create", name: "rows", description: "", schema: null } as const;
    const mapping = { question: "input", messages: null };
    const options = { onError: "skip", dryRun: false, mapping } as const;
    await imports.enqueue(principal, upload, { target, options });
    await db.write((tx) => insertWorker(tx, { id: "worker_1", host: "here", process: "1" }, new Date()));
    const [task] = await claimTasks(db, { workerId: "worker_1", kind: IMPORT_KIND, limit: 1 }, new Date());
    if (!task) throw new Error("Nothing was due.");
    let writes = 0;
    const context: TaskContext = {
      signal: new AbortController().signal,
      progress: async () => {},
      finish: async () => {},
      async write(work) {
        // The first two writes stage an empty revision; the third has samples.
        if (++writes > 2) throw new AppError("storage_full", "The database's disk is full.");
        return db.write(work);
      },
    };
    const handler = datasetImport({ db, uploads, config, spoolDir });
    expect((await problemOf(handler.run(task, context))).kind).toBe("storage_full");
    expect(await readdir(spoolDir)).toEqual([]);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
