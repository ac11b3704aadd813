import type { DatasetWithLatest, ReadyRevision } from "../../db/datasets";
import type { MemberRow } from "../../db/samples";
import type { Dataset, DatasetRevision, Sample } from "./contract";

export const toRevision = (row: ReadyRevision): DatasetRevision => ({
  revision: row.revision,
  hash: row.hash,
  samples: row.samples,
  added: row.added,
  changed: row.changed,
  removed: row.removed,
  source: row.source,
  created_at: row.createdAt.toISOString(),
  created_by: row.createdBy,
});

export const toDataset = (row: DatasetWithLatest): Dataset => ({
  id: row.id,
  name: row.name,
  description: row.description,
  schema: row.sampleSchema,
  latest: toRevision(row.latest),
  tags: row.latest.tags,
  tag_count: row.latest.tagCount,
  baseline_run_id: row.baselineRunId,
  created_at: row.createdAt.toISOString(),
  created_by: row.createdBy,
  updated_at: row.updatedAt.toISOString(),
});

export const toSample = (row: MemberRow): Sample => ({
  id: row.id,
  key: row.key,
  input: row.input as Sample["input"],
  references: row.references,
  contexts: row.contexts,
  output: row.output,
  group: row.group,
  tags: row.tags,
  metadata: row.metadata as Sample["metadata"],
  hash: row.hash,
});
