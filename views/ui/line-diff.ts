import { commonWords, MAX_CELLS } from "./word-diff";

/** Neighbouring lines of the same kind. removed: only in the first text. added: only in the second. */
export interface LineGroup {
  kind: "same" | "removed" | "added";
  lines: string[];
}

/**
 * Compares two texts line by line (longest common subsequence), ignoring white space at the ends of lines. Texts that are
 * too long to compare differ as a whole between their common first and last lines.
 */
export const diffLines = (one: string, other: string): LineGroup[] => {
  const [a, b] = [one, other].map((text) => text.split("\n").map((line) => line.trimEnd())) as [string[], string[]];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
  const [x, y] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  const shared =
    x.length * y.length > MAX_CELLS ? { one: new Set<number>(), other: new Set<number>() } : commonWords(x, y);
  const groups: LineGroup[] = [];
  const add = (kind: LineGroup["kind"], line: string) => {
    const last = groups.at(-1);
    if (last?.kind === kind) last.lines.push(line);
    else groups.push({ kind, lines: [line] });
  };
  for (const line of a.slice(0, start)) add("same", line);
  for (let row = 0, column = 0; row < x.length || column < y.length; ) {
    if (row < x.length && !shared.one.has(row)) add("removed", x[row++] ?? "");
    else if (column < y.length && !shared.other.has(column)) add("added", y[column++] ?? "");
    else {
      add("same", x[row++] ?? "");
      column += 1;
    }
  }
  for (const line of a.slice(a.length - end)) add("same", line);
  return groups;
};
