/*
 * The messages of a conversation are a tree: each knows the one before it. Messages with the same parent are versions of
 * each other: a question that was edited, an answer that was asked for again. One branch is shown, and it is all that
 * the model reads. Rows come in the order of their creation, so a parent stands before its children.
 */

interface Node {
  id: string;
  parentId: string | null;
}

/** The branch from the first message to `leafId`; to the newest message where nothing has that id. */
export const branchTo = <Row extends Node>(rows: readonly Row[], leafId: string | null): Row[] => {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const branch: Row[] = [];
  for (let row = byId.get(leafId ?? "") ?? rows.at(-1); row; row = byId.get(row.parentId ?? "")) branch.push(row);
  return branch.reverse();
};

/** The last message of the newest branch below `id` (below the start of the conversation: null); `id` when nothing follows it. */
export const newestLeaf = (rows: readonly Node[], id: string | null): string | null => {
  const newestChild = new Map(rows.map((row) => [row.parentId, row.id]));
  let leaf = id;
  for (let next = newestChild.get(leaf); next !== undefined; next = newestChild.get(leaf)) leaf = next;
  return leaf;
};

/** Ids of the versions of each message by its parent, oldest first. */
export const versionsByParent = (rows: readonly Node[]): Map<string | null, string[]> => {
  const versions = new Map<string | null, string[]>();
  for (const { id, parentId } of rows) {
    const siblings = versions.get(parentId);
    if (siblings) siblings.push(id);
    else versions.set(parentId, [id]);
  }
  return versions;
};
