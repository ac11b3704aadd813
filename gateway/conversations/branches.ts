import type { MessageRow } from "../../db/conversations";
import { AppError } from "../../lib/errors";

/*
 * The messages of a conversation form a tree: each message has a parent. Messages with the same parent are versions of
 * each other: edited questions and regenerated answers. One branch is shown, and the model reads only that branch. Rows
 * are in order of creation, so a parent comes before its children.
 */

interface Node {
  id: string;
  parentId: string | null;
}

/** The branch from the first message to `leafId`, or to the newest message if no message has that id. */
export const branchTo = <Row extends Node>(rows: readonly Row[], leafId: string | null): Row[] => {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const branch: Row[] = [];
  for (let row = byId.get(leafId ?? "") ?? rows.at(-1); row; row = byId.get(row.parentId ?? "")) branch.push(row);
  return branch.reverse();
};

/**
 * The last message of the newest branch below `id` (null: in the whole conversation); `id` itself if it has no
 * children.
 */
export const newestLeaf = (rows: readonly Node[], id: string | null): string | null => {
  const newestChild = new Map(rows.map((row) => [row.parentId, row.id]));
  let leaf = id;
  for (let next = newestChild.get(leaf); next !== undefined; next = newestChild.get(leaf)) leaf = next;
  return leaf;
};

/** The ids of messages with the same parent, by parent id, oldest first. */
export const versionsByParent = (rows: readonly Node[]): Map<string | null, string[]> => {
  const siblings = Map.groupBy(rows, ({ parentId }) => parentId);
  return new Map([...siblings].map(([parentId, versions]) => [parentId, versions.map(({ id }) => id)]));
};

/**
 * Ids of a question and of everything in its turn: its answers, the results of their function calls, and the answers to
 * those results.
 */
export const turnOf = (rows: readonly Pick<MessageRow, "id" | "parentId" | "role">[], questionId: string): string[] => {
  const turn = new Set([questionId]);
  for (const { id, parentId, role } of rows)
    if ((role === "assistant" || role === "tool") && turn.has(parentId ?? "")) turn.add(id);
  return [...turn];
};

/** A message on any branch. Throws not_found. */
export const findMessage = (rows: readonly MessageRow[], id: string, role?: "user" | "assistant"): MessageRow => {
  const row = rows.find((message) => message.id === id && (role === undefined || message.role === role));
  if (row) return row;
  const kind = role === "user" ? "question" : role === "assistant" ? "answer" : "message";
  throw new AppError("not_found", `This ${kind} does not exist in this conversation, or it was deleted.`);
};
