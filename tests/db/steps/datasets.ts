import { eq } from "drizzle-orm";
import type { Db } from "../../../db/client";
import * as datasets from "../../../db/datasets";
import * as samples from "../../../db/samples";
import { samples as sampleTable } from "../../../db/schema";
import * as uploads from "../../../db/uploads";
import { AT, LATER, type Step, type StepGroup } from "./step";

export const sampleOf = (tag: string, n: number): samples.NewSampleRow => ({
  id: `sample_${tag}_${n}`,
  hash: `${tag} ${n}`,
  input: `question ${n}`,
  references: ["answer"],
  contexts: [],
  output: null,
  group: null,
  tags: ["tagged"],
  metadata: {},
});
const memberOf = (tag: string, n: number) => ({ ...sampleOf(tag, n), key: `k${n}`, position: n });

const ds = (tag: string, name = "kept"): string => `ds_${tag}_${name}`;
const rev = (tag: string, name: string): string => `rev_${tag}_${name}`;

const steps: readonly Step[] = [
  {
    name: "insertUpload",
    write: (db, tag) =>
      db.write(async (tx) => {
        for (const name of ["kept", "deleted"]) {
          await uploads.insertUpload(tx, { id: `upload_${tag}_${name}`, fileName: "a.csv", createdBy: "test" }, AT);
        }
      }),
  },
  {
    name: "insertUploadPart",
    write: async (db, tag) => {
      for (const name of ["kept", "deleted"]) {
        const part = { uploadId: `upload_${tag}_${name}`, position: 0, bytes: Buffer.from("some bytes") };
        await uploads.insertUploadPart(db, part);
      }
    },
  },
  {
    name: "completeUpload",
    write: (db, tag) =>
      db.write((tx) => uploads.completeUpload(tx, `upload_${tag}_kept`, { sizeBytes: 10, sha256: "hash" })),
  },
  {
    name: "handUploadToJob",
    write: (db, tag) => db.write((tx) => uploads.handUploadToJob(tx, `upload_${tag}_kept`, `job_${tag}_uploads`)),
  },
  { name: "deleteUploadParts", write: (db, tag) => uploads.deleteUploadParts(db, `upload_${tag}_deleted`, 10) },
  {
    name: "insertDataset",
    write: (db, tag) =>
      db.write(async (tx) => {
        for (const name of ["kept", "hidden"]) {
          const row = { id: ds(tag, name), name: `${tag} ${name}`, createdBy: "test", updatedAt: AT };
          await datasets.insertDataset(tx, row);
        }
      }),
  },
  {
    name: "stageRevision",
    write: (db, tag) =>
      db.write(async (tx) => {
        for (const name of ["one", "two", "abandoned"]) {
          const row = { id: rev(tag, name), jobId: null, source: "a.csv", createdBy: "test" };
          await datasets.stageRevision(tx, row, AT);
        }
      }),
  },
  {
    name: "insertSamples",
    write: (db, tag) => db.write((tx) => samples.insertSamples(tx, [sampleOf(tag, 0)])),
  },
  {
    name: "insertMembers",
    write: (db, tag) =>
      db.write(async (tx) => {
        await samples.insertMembers(tx, rev(tag, "one"), [memberOf(tag, 0), memberOf(tag, 1)]);
        await samples.insertMembers(tx, rev(tag, "abandoned"), [memberOf(tag, 9)]);
        await samples.insertMembers(tx, rev(tag, "two"), [{ ...memberOf(tag, 2), position: 0 }]);
      }),
  },
  {
    name: "insertMissingMembers",
    write: (db, tag) => db.write((tx) => samples.insertMissingMembers(tx, rev(tag, "two"), rev(tag, "one"))),
  },
  {
    name: "dropRepeatedMembers",
    write: (db, tag) =>
      db.write(async (tx) => {
        const repeated = { ...memberOf(tag, 2), key: "again", position: 3 };
        await samples.insertMembers(tx, rev(tag, "two"), [repeated]);
        await samples.dropRepeatedMembers(tx, rev(tag, "two"), 1);
      }),
  },
  {
    name: "publishRevision",
    write: (db, tag) =>
      db.write(async (tx) => {
        const fields = {
          datasetId: ds(tag),
          hash: tag,
          tags: ["tagged"],
          tagCount: 1,
          report: { rows: 2 },
          removed: 0,
        };
        const one = { revision: 1, samples: 2, added: 2, changed: 0 };
        const two = { revision: 2, samples: 3, added: 1, changed: 0 };
        await datasets.publishRevision(tx, rev(tag, "one"), { ...fields, ...one });
        await datasets.publishRevision(tx, rev(tag, "two"), { ...fields, ...two });
      }),
  },
  {
    name: "updateDataset",
    write: (db, tag) =>
      db.write((tx) => datasets.updateDataset(tx, ds(tag), { description: "described", updatedAt: LATER })),
  },
  { name: "hideDataset", write: (db, tag) => db.write((tx) => datasets.hideDataset(tx, ds(tag, "hidden"), LATER)) },
  { name: "deleteRevisionPart", write: (db, tag) => datasets.deleteRevisionPart(db, rev(tag, "abandoned"), 10) },
];

const stateOf = async (db: Db, tag: string) => {
  const kept = await uploads.findUpload(db, `upload_${tag}_kept`);
  const dataset = await datasets.findDataset(db, `${tag} kept`);
  const members = await samples.listMembers(db, rev(tag, "two"), { from: 0, window: 10, limit: 10 });
  return {
    upload: kept && { state: kept.state, sizeBytes: kept.sizeBytes, jobId: kept.jobId },
    bytes: (await uploads.findUploadPart(db, `upload_${tag}_kept`, 0))?.toString(),
    deleted: await uploads.findUpload(db, `upload_${tag}_deleted`),
    dataset: dataset && { description: dataset.description, latest: dataset.latest.revision },
    hidden: await datasets.findDataset(db, ds(tag, "hidden")),
    revisions: (await datasets.listRevisions(db, ds(tag), { limit: 10 })).map(({ samples: count }) => count),
    members: members.map(({ key, position }) => ({ key, position })),
    changes: await samples.findChanges(db, rev(tag, "two"), rev(tag, "one")),
    orphan: await db
      .select()
      .from(sampleTable)
      .where(eq(sampleTable.id, sampleOf(tag, 9).id)),
  };
};

const finalState = (tag: string) => ({
  upload: { state: "complete", sizeBytes: 10, jobId: `job_${tag}_uploads` },
  bytes: "some bytes",
  deleted: undefined,
  dataset: { description: "described", latest: 2 },
  hidden: undefined,
  revisions: [3, 2],
  members: [
    { key: "k0", position: 0 },
    { key: "k1", position: 1 },
    { key: "again", position: 2 },
  ],
  changes: { samples: 3, added: 1, changed: 0, removed: 0 },
  orphan: [],
});

/** Uploads, datasets, revisions and samples. */
export const datasetSteps: StepGroup = { steps, stateOf, finalState };
