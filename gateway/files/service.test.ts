import { afterEach, beforeEach, expect, test } from "bun:test";
import { findBatch, insertBatchResults, updateBatch } from "../../db/batches";
import type { Db } from "../../db/client";
import { uploads as uploadRows } from "../../db/schema";
import { temporaryDb } from "../../tests/db/temporary";
import { PRINCIPAL as caller } from "../../tests/principal";
import { NO_TOKENS } from "../batches/results";
import { createBatches } from "../batches/service";
import { createUploads } from "../uploads/service";
import { createFiles } from "./service";

const DAY_MS = 86_400_000;

let db: Db;
let aheadMs: number;
const now = () => new Date(Date.now() + aheadMs);
beforeEach(async () => {
  aheadMs = 0;
  db = await temporaryDb();
});
afterEach(() => db.close());

const services = () => {
  const uploads = createUploads({ db, maxBytes: 1000, now });
  return { uploads, files: createFiles({ db, uploads, days: 30, now }), batches: createBatches({ db, days: 30, now }) };
};

/** Uploads a file that is kept for this many days. */
const upload = async (days?: number) => {
  const form = new FormData();
  form.append("file", new File(["{}"], "in.jsonl"));
  form.append("purpose", "batch");
  if (days !== undefined) form.append("expires_after[seconds]", String((days * DAY_MS) / 1000));
  const { headers, body } = new Response(form);
  const contentType = headers.get("content-type") ?? "";
  const pieces = () => body as unknown as AsyncIterable<Uint8Array>;
  const source = { contentType, pieces, text: () => Promise.reject(new Error("A form is not read as text.")) };
  return services().files.create(caller, source, (_, make) => make(async () => {}));
};

const start = async (inputFileId: string) => {
  const request = { input_file_id: inputFileId, endpoint: "/v1/completions", completion_window: "24h" } as const;
  return services().batches.create(caller, request, async () => {});
};

/** Runs the cleanup that a worker runs once a minute. */
const sweep = async () => {
  const { uploads, files, batches } = services();
  for (const each of [uploads, files, batches]) await each.sweep();
};
const listed = async () => (await services().files.list(caller, {})).data.map(({ id }) => id);

test("a file is kept until it expires, and then deleted with its content", async () => {
  const [short, long] = [await upload(2), await upload()];
  aheadMs = 1.9 * DAY_MS;
  await sweep();
  expect(await listed()).toEqual([long.id, short.id]);
  aheadMs = 2.1 * DAY_MS;
  await sweep();
  expect([await listed(), await db.$count(uploadRows)]).toEqual([[long.id], 1]);
  aheadMs = 30.1 * DAY_MS;
  await sweep();
  expect([await listed(), await db.$count(uploadRows)]).toEqual([[], 0]);
});

test("a file that an unfinished batch reads is kept past its expiry", async () => {
  const file = await upload(1);
  const { id } = await start(file.id);
  aheadMs = 1.1 * DAY_MS;
  await sweep();
  expect(await listed()).toEqual([file.id]);
  await db.write((tx) => updateBatch(tx, id, { status: "expired", endedAt: now() }));
  await sweep();
  expect(await listed()).toEqual([]);
});

test("a file is kept if a batch is created while expired files are deleted", async () => {
  await upload(1);
  const second = await upload(1);
  aheadMs = 1.1 * DAY_MS;
  const { uploads } = services();
  // The content of the first file is deleted after all expired files were listed.
  const discard = async (id: string) => {
    await uploads.discard(id);
    await start(second.id);
  };
  await createFiles({ db, uploads: { ...uploads, discard }, days: 30, now }).sweep();
  expect(await listed()).toEqual([second.id]);
});

test("a batch is kept for 30 days after its end, and until its results are deleted", async () => {
  const { id } = await start((await upload()).id);
  await db.write(async (tx) => {
    await insertBatchResults(tx, id, [{ line: 1, isError: false, output: "{}", tokens: NO_TOKENS }]);
    await updateBatch(tx, id, { status: "completed", endedAt: now() });
  });
  const isKept = async () => (await findBatch(db, id)) !== undefined;
  aheadMs = 31 * DAY_MS;
  await sweep();
  expect(await isKept()).toBe(true);
  await db.writer.exclusive(() => db.writer.execute("DELETE FROM batch_results"));
  aheadMs = 29 * DAY_MS;
  await sweep();
  expect(await isKept()).toBe(true);
  aheadMs = 31 * DAY_MS;
  await sweep();
  expect(await isKept()).toBe(false);
});
