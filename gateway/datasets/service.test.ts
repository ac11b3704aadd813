import { expect, test } from "bun:test";
import { updateBatchRun } from "../../db/batch-evals";
import { deleteRevisionPart, insertDataset, publishRevision, stageRevision } from "../../db/datasets";
import { insertRun } from "../../db/runs";
import { insertMembers } from "../../db/samples";
import { sampleOf } from "../../tests/db/steps/datasets";
import { problemOf, temporaryDb } from "../../tests/db/temporary";
import { PRINCIPAL } from "../../tests/principal";
import { createDatasets } from "./service";
import { exportRevision } from "./writers";

const SAMPLES = 6000;

/** A dataset with more samples than an export reads ahead. */
const store = async () => {
  const db = await temporaryDb();
  const at = new Date();
  await db.write(async (tx) => {
    await insertDataset(tx, { id: "ds_1", name: "rows", createdBy: "key_1", updatedAt: at });
    await stageRevision(tx, { id: "rev_1", jobId: null, source: null, createdBy: "key_1" }, at);
    const members = Array.from({ length: SAMPLES }, (_, n) => ({ ...sampleOf("x", n), key: `k${n}`, position: n }));
    await insertMembers(tx, "rev_1", members);
    const counts = { samples: SAMPLES, added: SAMPLES, changed: 0, removed: 0, tags: [], tagCount: 0 };
    await publishRevision(tx, "rev_1", { datasetId: "ds_1", revision: 1, hash: "hash", report: {}, ...counts });
  });
  return { db, datasets: createDatasets({ db }) };
};

test("an export contains every sample of the revision", async () => {
  const { db, datasets } = await store();
  const { content } = await exportRevision(datasets, "rows", {});
  const text = (await Array.fromAsync(content)).join("");
  expect(text.trimEnd().split("\n")).toHaveLength(SAMPLES);
  await db.close();
});

test("an export fails if its dataset is deleted in the meantime, so a partial file can't pass for a complete one", async () => {
  const { db, datasets } = await store();
  const { content } = await exportRevision(datasets, "rows", {});
  while (!(await deleteRevisionPart(db, "rev_1", 1000)));
  expect((await problemOf(Array.fromAsync(content))).message).toContain("deleted while it was being read");
  await db.close();
});

test("a run that is resumed while it is made the baseline is refused", async () => {
  const { db, datasets } = await store();
  const at = new Date();
  const run = { id: "run_1", kind: "batch", name: "rows", state: "completed", datasetId: "ds_1", endedAt: at } as const;
  await db.write((tx) => insertRun(tx, { ...run, pins: {}, createdBy: "key_1", createdAt: at }));
  const resumed = Promise.withResolvers<void>();
  const resuming = db.write(async (tx) => {
    await resumed.promise;
    await updateBatchRun(tx, "run_1", { state: "queued", endedAt: null });
  });
  const refused = problemOf(datasets.update(PRINCIPAL, "ds_1", { baseline_run_id: "run_1" }));
  // The update has read everything that it reads before its transaction, which waits for this one.
  for (let read = 0; read < 5; read++) await datasets.get("ds_1");
  resumed.resolve();
  await resuming;
  expect((await refused).detail.param).toBe("baseline_run_id");
  expect((await datasets.get("ds_1")).baseline_run_id).toBeNull();
  await db.close();
});
