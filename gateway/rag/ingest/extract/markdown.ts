import { unreadable } from "./document";

/** A piece of Markdown between empty lines. Consecutive items form a list, without empty lines between them. */
export interface Block {
  text: string;
  isItem?: boolean;
}

export const joinBlocks = (blocks: readonly Block[]): string => {
  const parts: string[] = [];
  blocks.forEach(({ text, isItem }, i) => {
    if (i > 0) parts.push(isItem && blocks[i - 1]?.isItem ? "\n" : "\n\n");
    parts.push(text);
  });
  return parts.join("");
};

export const headingLine = (level: number, text: string): string =>
  `${"#".repeat(Math.min(6, Math.max(1, level)))} ${oneLine(text)}`;

export const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

/** The text of a heading without Markdown's marks. */
export const plainHeading = (title: string): string =>
  title
    .slice(0, 1000)
    .replace(/\s#+\s*$/, "")
    .replace(/!?\[([^\]]{1,500})\]\([^)\s]{0,500}\)/g, "$1")
    .replace(/\*\*|__|`/g, "")
    .replace(/\\([#*_|`[\]])/g, "$1")
    .trim();

/** Escapes text from other formats that Markdown would read as a heading, a code block or a table. */
export const escapeLineStarts = (text: string): string => text.replace(/^(?=(?:#{1,6}\s|```|~~~|\|))/gm, "\\");

const cellText = (text: string): string => oneLine(text).replace(/\\?\|/g, "\\|");

/** Maximum cells of all tables in a document, including empty ones. */
const MAX_CELLS = 1_000_000;

export const checkCells = (cells: number): void => {
  if (cells > MAX_CELLS) {
    throw unreadable(`The tables have more than ${MAX_CELLS} cells. Split the file into several files.`);
  }
};

/** A table with the first row as header. Pads rows to the same number of cells. Throws invalid_request for too many. */
export const pipeTable = (rows: readonly (readonly string[])[]): string => {
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  checkCells(width * rows.length);
  const lines = rows.map((row) => `| ${Array.from({ length: width }, (_, i) => cellText(row[i] ?? "")).join(" | ")} |`);
  lines.splice(1, 0, `|${" --- |".repeat(width)}`);
  return lines.join("\n");
};

export const codeFence = (code: string, language = ""): string => {
  const longest = (code.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}${language}\n${code.replace(/^\n/, "").trimEnd()}\n${fence}`;
};
