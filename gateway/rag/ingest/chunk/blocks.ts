import { plainHeading } from "../extract/markdown";

/** A range of the stored text. */
export interface Range {
  start: number;
  end: number;
}

export type TextBlock = Range &
  (
    | { kind: "heading"; level: number; title: string }
    | { kind: "paragraph" | "item" | "code" }
    /** `header` includes the rule under the header row. */
    | { kind: "table"; header: Range; rows: Range[] }
  );

const HEADING = /^ {0,3}(#{1,6})[ \t]+(\S.*)$/;
const FENCE = /^\s{0,12}(`{3,}|~{3,})/;
const ITEM = /^\s{0,40}(?:[-*+]|\d{1,9}[.)])[ \t]+\S/;
/** Indented code, unless it belongs to a list. */
const INDENTED = /^(?: {4}|\t)\s*\S/;
const RULE = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
/** Maximum length of a line that is parsed. Longer lines are paragraphs. */
const MAX_SYNTAX_LINE = 20_000;

/** The blocks of a Markdown text in order, with their offsets. Empty lines belong to no block. */
export const parseBlocks = (text: string): TextBlock[] => {
  const lines = linesOf(text);
  const blocks: TextBlock[] = [];
  const lineAt = (i: number) =>
    lines[i] ? text.slice(lines[i].start, Math.min(lines[i].end, lines[i].start + MAX_SYNTAX_LINE)) : "";
  let at = frontMatterEnd(text, lines);
  if (at > 0) blocks.push({ kind: "paragraph", start: 0, end: lines[at - 1]?.end ?? 0 });
  while (at < lines.length) {
    const line = lineAt(at);
    const { start = 0, end = 0 } = lines[at] ?? {};
    const heading = HEADING.exec(line);
    const fence = FENCE.exec(line)?.[1];
    if (line.trim() === "") at++;
    else if (heading) {
      blocks.push({
        kind: "heading",
        start,
        end,
        level: heading[1]?.length ?? 1,
        title: plainHeading(heading[2] ?? ""),
      });
      at++;
    } else if (fence) {
      const close = closingFence(lineAt, at + 1, lines.length, fence);
      blocks.push({ kind: "code", start, end: lines[close]?.end ?? text.length });
      at = close + 1;
    } else if (line.includes("|") && RULE.test(lineAt(at + 1)) && lineAt(at + 1).includes("-")) {
      const from = at;
      for (at += 2; at < lines.length && lineAt(at).includes("|"); ) at++;
      const last = lines[at - 1]?.end ?? end;
      blocks.push({
        kind: "table",
        start,
        end: last,
        header: { start, end: lines[from + 1]?.end ?? end },
        rows: lines.slice(from + 2, at),
      });
    } else if (INDENTED.test(line) && blocks.at(-1)?.kind !== "item") {
      const from = at;
      for (at++; at < lines.length && (INDENTED.test(lineAt(at)) || lineAt(at).trim() === ""); ) at++;
      while (lineAt(at - 1).trim() === "" && at > from + 1) at--;
      blocks.push({ kind: "code", start, end: lines[at - 1]?.end ?? end });
    } else {
      const kind = ITEM.test(line) ? "item" : "paragraph";
      for (at++; at < lines.length && !startsBlock(lineAt, at); ) at++;
      blocks.push({ kind, start, end: lines[at - 1]?.end ?? end });
    }
  }
  return blocks;
};

const startsBlock = (lineAt: (i: number) => string, at: number): boolean => {
  const line = lineAt(at);
  if (line.trim() === "" || HEADING.test(line) || FENCE.test(line) || ITEM.test(line)) return true;
  return line.includes("|") && RULE.test(lineAt(at + 1));
};

const closingFence = (lineAt: (i: number) => string, from: number, count: number, fence: string): number => {
  for (let at = from; at < count; at++) {
    const line = lineAt(at).trim();
    if (line.startsWith(fence) && line === (fence[0] ?? "").repeat(line.length)) return at;
  }
  return count - 1;
};

/** Number of front matter lines at the beginning; 0 without front matter. */
const frontMatterEnd = (text: string, lines: readonly Range[]): number => {
  if (!text.startsWith("---\n")) return 0;
  const end = lines
    .slice(0, 200)
    .findIndex(({ start, end }, i) => i > 0 && text.slice(start, Math.min(end, start + 5)).trimEnd() === "---");
  return end < 0 ? 0 : end + 1;
};

const linesOf = (text: string): Range[] => {
  const lines: Range[] = [];
  for (let start = 0; start <= text.length; ) {
    const found = text.indexOf("\n", start);
    const end = found < 0 ? text.length : found;
    lines.push({ start, end });
    start = end + 1;
  }
  return lines;
};
