import { and, asc, count, desc, eq, gt, lt, max, sql } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { promptLabels, promptVersions } from "./schema";

export type PromptVersionRow = typeof promptVersions.$inferSelect & { usedByRuns: number };

const withUse = {
  name: promptVersions.name,
  version: promptVersions.version,
  hash: promptVersions.hash,
  messages: promptVersions.messages,
  note: promptVersions.note,
  createdBy: promptVersions.createdBy,
  createdAt: promptVersions.createdAt,
  usedByRuns: sql<number>`(SELECT COUNT(*) FROM runs
    WHERE runs.prompt = prompt_versions.name || '@' || prompt_versions.version)`,
};

/** Names after `after`, sorted, each with its number of versions. */
export const listPromptNames = (
  db: Reads,
  { limit, after }: { limit: number; after?: string },
): Promise<{ name: string; versions: number }[]> =>
  db
    .select({ name: promptVersions.name, versions: count() })
    .from(promptVersions)
    .where(after === undefined ? undefined : gt(promptVersions.name, after))
    .groupBy(promptVersions.name)
    .orderBy(asc(promptVersions.name))
    .limit(limit);

/** Versions, newest first. `below` is the last number on the previous page. */
export const listPromptVersions = (
  db: Reads,
  name: string,
  { limit, below }: { limit: number; below?: number },
): Promise<PromptVersionRow[]> =>
  db
    .select(withUse)
    .from(promptVersions)
    .where(and(eq(promptVersions.name, name), below === undefined ? undefined : lt(promptVersions.version, below)))
    .orderBy(desc(promptVersions.version))
    .limit(limit);

export const findPromptVersion = (db: Reads, name: string, version: number): Promise<PromptVersionRow | undefined> =>
  db
    .select(withUse)
    .from(promptVersions)
    .where(and(eq(promptVersions.name, name), eq(promptVersions.version, version)))
    .get();

/** Creates the next version of a prompt. Returns its number. */
export const insertPromptVersion = async (
  tx: Tx,
  row: Omit<typeof promptVersions.$inferInsert, "version">,
): Promise<number> => {
  const [last] = await tx
    .select({ version: max(promptVersions.version) })
    .from(promptVersions)
    .where(eq(promptVersions.name, row.name));
  const version = (last?.version ?? 0) + 1;
  await tx.insert(promptVersions).values({ ...row, version });
  return version;
};

export const listPromptLabels = (db: Reads, name: string): Promise<{ label: string; version: number }[]> =>
  db
    .select({ label: promptLabels.label, version: promptLabels.version })
    .from(promptLabels)
    .where(eq(promptLabels.name, name))
    .orderBy(asc(promptLabels.label));

export const movePromptLabel = async (tx: Tx, name: string, label: string, version: number | null): Promise<void> => {
  if (version === null) {
    await tx.delete(promptLabels).where(and(eq(promptLabels.name, name), eq(promptLabels.label, label)));
    return;
  }
  await tx
    .insert(promptLabels)
    .values({ name, label, version })
    .onConflictDoUpdate({ target: [promptLabels.name, promptLabels.label], set: { version } });
};
