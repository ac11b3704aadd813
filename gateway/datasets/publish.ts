import { appendAudit } from "../../db/audit";
import type { Reads, Tx } from "../../db/client";
import * as store from "../../db/datasets";
import { isConstraint } from "../../db/errors";
import { dropRepeatedMembers, findChanges, insertMissingMembers, listHashes, listTags } from "../../db/samples";
import { AppError } from "../../lib/errors";
import { revisionHash } from "./content";
import type { ValidationReport } from "./contract";
import type { ImportPayload } from "./import-job";
import { nameTaken } from "./service";

/** Members per read. */
const PAGE = 5000;
/** Maximum number of tags shown with a dataset. */
const MAX_TAGS = 200;

/** Keys and hashes of a revision, sorted by the keys' bytes. */
export async function* hashesOf(tx: Reads, revisionId: string) {
  for (let last: string | undefined; ; ) {
    const members = await listHashes(tx, revisionId, last, PAGE);
    yield* members;
    if (members.length < PAGE) return;
    last = members.at(-1)?.key;
  }
}

interface Published {
  /** False if the newest revision already has this content. */
  isNew: boolean;
  report: ValidationReport;
}

/**
 * Publishes the staged samples as the newest revision of their dataset; the first revision also creates the dataset.
 * Throws conflict, and not_found if the dataset was deleted in the meantime.
 */
export const publish = async (
  tx: Tx,
  revisionId: string,
  { target, datasetId, createdBy, requestId }: ImportPayload,
  found: ValidationReport,
  at: Date,
): Promise<Published> => {
  const base = target.mode === "create" ? undefined : await findBase(tx, datasetId);
  if (target.mode === "create") await createDataset(tx, datasetId, target, createdBy, at);
  const report = base && target.mode === "merge" ? await merge(tx, revisionId, base.id, found) : found;
  const hash = await revisionHash(hashesOf(tx, revisionId));
  if (base?.hash === hash) return { isNew: false, report };

  const changes = await findChanges(tx, revisionId, base?.id);
  const revision = (base?.revision ?? 0) + 1;
  const { preview: _, examples: __, changes: ___, ...kept } = report;
  const tags = await listTags(tx, revisionId, MAX_TAGS);
  await store.publishRevision(tx, revisionId, { datasetId, revision, hash, ...tags, report: kept, ...changes });
  await store.updateDataset(tx, datasetId, { updatedAt: at });
  const action = target.mode === "create" ? "dataset.create" : "dataset.revise";
  const detail = { revision, hash, ...changes };
  await appendAudit(tx, { at, actor: { keyId: createdBy, requestId }, action, target: datasetId, detail });
  return { isNew: true, report };
};

/**
 * Adds the samples kept from the previous revision. A sample whose content already has another key is a duplicate, as
 * within a file.
 */
const merge = async (
  tx: Tx,
  revisionId: string,
  baseId: string,
  report: ValidationReport,
): Promise<ValidationReport> => {
  await insertMissingMembers(tx, revisionId, baseId);
  const repeated = await dropRepeatedMembers(tx, revisionId, report.accepted);
  const { accepted, duplicates } = report;
  return {
    ...report,
    accepted: accepted - repeated,
    duplicates: { ...duplicates, exact: duplicates.exact + repeated },
  };
};

const findBase = async (tx: Tx, datasetId: string): Promise<store.ReadyRevision> => {
  const dataset = await store.findDataset(tx, datasetId);
  if (dataset) return dataset.latest;
  throw new AppError("not_found", "The dataset was deleted in the meantime, so the samples were not stored.");
};

const createDataset = async (
  tx: Tx,
  id: string,
  { name, description, schema }: Extract<ImportPayload["target"], { mode: "create" }>,
  createdBy: string,
  at: Date,
): Promise<void> => {
  try {
    const row = { id, name, description, sampleSchema: schema, createdBy, createdAt: at, updatedAt: at };
    await store.insertDataset(tx, row);
  } catch (error) {
    if (isConstraint(error)) throw nameTaken(name);
    throw error;
  }
};
