import { and, asc, count, eq, gte, inArray, isNull, lt, type SQL, sql } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { like } from "./conditions";
import { insertRows } from "./json-rows";
import { revisionSamples, samples } from "./schema";

export type SampleRow = typeof samples.$inferSelect;
/** A sample to insert. The columns about function calls default to null. */
export type NewSampleRow = typeof samples.$inferInsert;
export type MemberRow = SampleRow & { key: string; position: number };

const SAMPLE_FIELDS = [
  ...(["id", "hash", "input", "references", "contexts", "output", "group", "tags", "metadata"] as const),
  ...(["expectedToolCalls", "tools", "toolChoice"] as const),
];
const MEMBER_FIELDS = ["revisionId", "position", "key", "sampleId"] as const;

/** Adds samples that don't exist yet. Samples are identified by their content. */
export const insertSamples = async (tx: Tx, rows: readonly NewSampleRow[]): Promise<void> => {
  await insertRows(tx, samples, SAMPLE_FIELDS, rows);
};

/** Adds samples to a staged revision. Throws if a key or position is taken. */
export const insertMembers = async (
  tx: Tx,
  revisionId: string,
  rows: readonly (NewSampleRow & Pick<MemberRow, "key" | "position">)[],
): Promise<void> => {
  await insertSamples(tx, rows);
  const members = rows.map(({ id, key, position }) => ({ revisionId, position, key, sampleId: id }));
  const added = await insertRows(tx, revisionSamples, MEMBER_FIELDS, members);
  if (added < rows.length) throw new Error(`Only ${added} of ${rows.length} keys and positions were free.`);
};

export const findMemberCount = (db: Reads, revisionId: string): Promise<number> =>
  db.$count(revisionSamples, eq(revisionSamples.revisionId, revisionId));

/** Appends to `revisionId` the members of `baseId` whose keys it doesn't have, in their order. Returns how many. */
export const insertMissingMembers = async (tx: Tx, revisionId: string, baseId: string): Promise<number> => {
  const { rowsAffected } = await tx.run(sql`
    INSERT INTO revision_samples (revision_id, position, key, sample_id)
    SELECT ${revisionId},
      (SELECT COALESCE(MAX(position), -1) FROM revision_samples WHERE revision_id = ${revisionId})
        + ROW_NUMBER() OVER (ORDER BY base.position),
      base.key, base.sample_id
    FROM revision_samples AS base
    WHERE base.revision_id = ${baseId}
      AND NOT EXISTS (SELECT 1 FROM revision_samples AS mine WHERE mine.revision_id = ${revisionId} AND mine.key = base.key)`);
  return rowsAffected;
};

/**
 * Removes the members before position `from` whose content also occurs at or after `from`, and closes the gaps. Returns
 * how many.
 */
export const dropRepeatedMembers = async (tx: Tx, revisionId: string, from: number): Promise<number> => {
  const { rowsAffected } = await tx.run(sql`
    DELETE FROM revision_samples
    WHERE revision_id = ${revisionId} AND position < ${from} AND sample_id IN
      (SELECT sample_id FROM revision_samples WHERE revision_id = ${revisionId} AND position >= ${from})`);
  if (rowsAffected === 0) return 0;
  // Moves the rows through unused positions, because two rows must never share a position.
  await tx.run(sql`
    UPDATE revision_samples SET position = -place.n
    FROM (SELECT position, ROW_NUMBER() OVER (ORDER BY position) AS n FROM revision_samples WHERE revision_id = ${revisionId})
      AS place
    WHERE revision_samples.revision_id = ${revisionId} AND revision_samples.position = place.position`);
  await tx.run(sql`UPDATE revision_samples SET position = -position - 1 WHERE revision_id = ${revisionId}`);
  return rowsAffected;
};

/** Compares a revision with the previous one: by key, then by content. */
export const findChanges = async (
  db: Reads,
  revisionId: string,
  baseId: string | undefined,
): Promise<{ samples: number; added: number; changed: number; removed: number }> => {
  const row = await db.get<{ samples: number; added: number; changed: number }>(sql`
    SELECT COUNT(*) AS samples,
      COALESCE(SUM(base.key IS NULL), 0) AS added,
      COALESCE(SUM(base.sample_id <> mine.sample_id), 0) AS changed
    FROM revision_samples AS mine
    LEFT JOIN revision_samples AS base ON base.revision_id = ${baseId ?? null} AND base.key = mine.key
    WHERE mine.revision_id = ${revisionId}`);
  const before = await findMemberCount(db, baseId ?? "");
  const { samples: all = 0, added = 0, changed = 0 } = row ?? {};
  return { samples: all, added, changed, removed: before - (all - added) };
};

const hashes = (db: Reads) =>
  db
    .select({ key: revisionSamples.key, hash: samples.hash })
    .from(revisionSamples)
    .innerJoin(samples, eq(samples.id, revisionSamples.sampleId));

/** Up to `limit` keys and content hashes of a revision after the key `after`, in byte order of the keys. */
export const listHashes = (
  db: Reads,
  revisionId: string,
  after: string | undefined,
  limit: number,
): Promise<{ key: string; hash: string }[]> =>
  hashes(db)
    .where(and(eq(revisionSamples.revisionId, revisionId), after === undefined ? undefined : sql`key > ${after}`))
    .orderBy(asc(revisionSamples.key))
    .limit(limit);

/** Members of a revision with one of these keys (at most 30,000 keys). */
export const listMembersByKey = (
  db: Reads,
  revisionId: string,
  keys: readonly string[],
): Promise<{ key: string; hash: string }[]> =>
  hashes(db).where(and(eq(revisionSamples.revisionId, revisionId), inArray(revisionSamples.key, [...keys])));

/** The `limit` most frequent tags of a revision, sorted, and the number of all tags. */
export const listTags = async (
  db: Reads,
  revisionId: string,
  limit: number,
): Promise<{ tags: string[]; tagCount: number }> => {
  const rows = await db.all<{ tag: string; kinds: number }>(sql`
    SELECT tag.value AS tag, COUNT(*) OVER () AS kinds
    FROM revision_samples AS member
    JOIN samples ON samples.id = member.sample_id
    JOIN json_each(samples.tags) AS tag
    WHERE member.revision_id = ${revisionId}
    GROUP BY tag.value
    ORDER BY COUNT(*) DESC, tag.value
    LIMIT ${limit}`);
  return { tags: rows.map(({ tag }) => tag).sort(), tagCount: rows[0]?.kinds ?? 0 };
};

export interface MemberFilter {
  tag?: string;
  /** Only members with at least one of these tags. */
  tags?: readonly string[];
  search?: string;
}

/** Positions from `from` up to, but excluding, `from + window`. */
export type MemberWindow = MemberFilter & { from: number; window: number };

/** JSON escapes some characters, so the search text is escaped the same way. */
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);

const hasTag = (condition: SQL): SQL => sql`EXISTS (SELECT 1 FROM json_each(samples.tags) WHERE ${condition})`;

const fits = ({ tag, tags, search }: MemberFilter): SQL | undefined =>
  and(
    tag === undefined ? undefined : hasTag(sql`value = ${tag}`),
    tags === undefined ? undefined : hasTag(inArray(sql`value`, [...tags])),
    search === undefined
      ? undefined
      : sql`(${like(samples.input, inJson(search))} OR ${like(samples.references, inJson(search))})`,
  );

const isIn = (revisionId: string, { from, window, ...filter }: MemberWindow): SQL | undefined =>
  and(
    eq(revisionSamples.revisionId, revisionId),
    gte(revisionSamples.position, from),
    lt(revisionSamples.position, from + window),
    fits(filter),
  );

const memberRows = (db: Reads) =>
  db
    .select({ sample: samples, key: revisionSamples.key, position: revisionSamples.position })
    .from(revisionSamples)
    .innerJoin(samples, eq(samples.id, revisionSamples.sampleId));

/** Members that match the filter, in order, among the `window` positions starting at `from`. */
export const listMembers = async (
  db: Reads,
  revisionId: string,
  { from, window, limit, offset = 0, ...filter }: MemberWindow & { limit: number; offset?: number },
): Promise<MemberRow[]> => {
  const rows = await memberRows(db)
    .where(isIn(revisionId, { from, window, ...filter }))
    .orderBy(asc(revisionSamples.position))
    .limit(limit)
    .offset(offset);
  return rows.map(({ sample, ...member }) => ({ ...sample, ...member }));
};

export const countMembers = async (db: Reads, revisionId: string, window: MemberWindow): Promise<number> => {
  const [row] = await db
    .select({ total: count() })
    .from(revisionSamples)
    .innerJoin(samples, eq(samples.id, revisionSamples.sampleId))
    .where(isIn(revisionId, window));
  return row?.total ?? 0;
};

export const findMember = async (db: Reads, revisionId: string, key: string): Promise<MemberRow | undefined> => {
  const [row] = await memberRows(db).where(
    and(eq(revisionSamples.revisionId, revisionId), eq(revisionSamples.key, key)),
  );
  return row && { ...row.sample, key: row.key, position: row.position };
};

/** Positions and keys of the members that match the filter, in order, among the positions of the window. */
export const listMemberKeys = (
  db: Reads,
  revisionId: string,
  window: MemberWindow,
): Promise<{ position: number; key: string; sampleId: string }[]> =>
  db
    .select({ position: revisionSamples.position, key: revisionSamples.key, sampleId: revisionSamples.sampleId })
    .from(revisionSamples)
    .innerJoin(samples, eq(samples.id, revisionSamples.sampleId))
    .where(isIn(revisionId, window))
    .orderBy(asc(revisionSamples.position));

/** Counts of the members that match the filter, by what an evaluator can compare an answer with. */
export interface MemberCounts {
  hasReferences: boolean;
  hasContexts: boolean;
  hasExpectedCalls: boolean;
  members: number;
  withoutOutput: number;
  /** Characters of inputs, contexts and tools. */
  characters: number;
}

export const countMembersByContent = (db: Reads, revisionId: string, window: MemberWindow): Promise<MemberCounts[]> => {
  const hasReferences = sql<boolean>`json_array_length(${samples.references}) > 0`.mapWith(Boolean);
  const hasContexts = sql<boolean>`json_array_length(${samples.contexts}) > 0`.mapWith(Boolean);
  const hasExpectedCalls = sql<boolean>`${samples.expectedToolCalls} IS NOT NULL`.mapWith(Boolean);
  return db
    .select({
      hasReferences,
      hasContexts,
      hasExpectedCalls,
      members: count(),
      withoutOutput: sql<number>`SUM(${samples.output} IS NULL)`,
      characters: sql<number>`SUM(length(${samples.input}) + length(${samples.contexts}) + COALESCE(length(${samples.tools}), 0))`,
    })
    .from(revisionSamples)
    .innerJoin(samples, eq(samples.id, revisionSamples.sampleId))
    .where(isIn(revisionId, window))
    .groupBy(hasReferences, hasContexts, hasExpectedCalls);
};

/** Names of the groups of the members that match the filter. */
export const listMemberGroups = async (db: Reads, revisionId: string, window: MemberWindow): Promise<string[]> => {
  const rows = await db
    .selectDistinct({ group: samples.group })
    .from(revisionSamples)
    .innerJoin(samples, eq(samples.id, revisionSamples.sampleId))
    .where(isIn(revisionId, window));
  return rows.flatMap(({ group }) => (group === null ? [] : [group]));
};

/** Number of matching members that belong to no group. */
export const countUngrouped = async (db: Reads, revisionId: string, window: MemberWindow): Promise<number> => {
  const [row] = await db
    .select({ total: count() })
    .from(revisionSamples)
    .innerJoin(samples, eq(samples.id, revisionSamples.sampleId))
    .where(and(isIn(revisionId, window), isNull(samples.group)));
  return row?.total ?? 0;
};
