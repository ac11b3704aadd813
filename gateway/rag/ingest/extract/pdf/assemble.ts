import { codeFence, escapeLineStarts, headingLine, pipeTable } from "../markdown";
import type { PdfBlock } from "./blocks";
import type { Line } from "./tables";

const SENTENCE_END = /[.!?:;…。！？：；؟]["'”’)\]]*(?:\[\^\d+\])*$/;
/** Minimum length of a text that is considered unfinished if it has no full stop at the end. */
const MIN_PROSE_CHARACTERS = 80;
/** Characters of scripts that are written without spaces between words. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}、。，！？：；「」『』（）]/u;

/** Joins all blocks into one Markdown text, with the offset of each of `pageCount` pages. */
export const assemble = (blocks: readonly PdfBlock[], pageCount: number): { text: string; pages: number[] } => {
  const merged = joinParagraphs(blocks);
  const levels = headingLevels(merged);
  const words = wordsOf(merged);
  const writer = new PageWriter();
  for (const [i, block] of merged.entries()) {
    const before = merged[i - 1];
    const isList = (kind = "") => kind === "item" || kind === "contents";
    if (before) writer.add(isList(block.kind) && isList(before.kind) ? "\n" : "\n\n");
    writeBlock(writer, block, levels, words);
  }
  return writer.finish(pageCount);
};

/** Collects text and records where each page begins. */
class PageWriter {
  readonly #parts: string[] = [];
  readonly #pages: number[] = [];
  #length = 0;

  add(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
  }

  startPage(page: number): void {
    while (this.#pages.length <= page) this.#pages.push(this.#length);
  }

  finish(pageCount: number): { text: string; pages: number[] } {
    if (pageCount > 0) this.startPage(pageCount - 1);
    return { text: this.#parts.join(""), pages: this.#pages };
  }
}

const writeBlock = (
  writer: PageWriter,
  block: PdfBlock,
  levels: ReadonlyMap<string, number>,
  words: ReadonlySet<string>,
): void => {
  const { kind, lines } = block;
  if (kind === "table" || kind === "contents") {
    (kind === "table" ? writeTable : writeContents)(writer, lines);
    return;
  }
  writer.startPage(lines[0]?.page ?? 0);
  if (kind === "code") {
    writer.add(codeFence(codeOf(block)));
    return;
  }
  if (kind === "heading") {
    const text = lines.map((line) => line.text).reduce((all, line) => joined(all, line, words));
    writer.add(headingLine(levels.get(levelKey(block)) ?? 2, text));
    return;
  }
  let held = "";
  for (const [i, line] of lines.entries()) {
    const text = i === 0 ? firstLine(kind, line.text) : line.text;
    if (i === 0) held = text;
    else {
      const both = joined(held, text, words);
      // `held` may lose its hyphen; the rest of `both` is `text`, after a space or not.
      const cut = both.length - text.length;
      writer.add(both.slice(0, cut));
      writer.startPage(line.page);
      held = both.slice(cut);
    }
  }
  writer.add(held);
};

/** Code lines with their indentation. A letter is about 0.6 font sizes wide. */
const codeOf = ({ lines, size }: PdfBlock): string => {
  const left = lines.reduce((least, { x0 }) => Math.min(least, x0), Number.POSITIVE_INFINITY);
  const indent = (x0: number) => " ".repeat(Math.min(40, Math.round((x0 - left) / (size * 0.6))));
  return lines.map(({ text, x0 }) => indent(x0) + text).join("\n");
};

const firstLine = (kind: PdfBlock["kind"], text: string): string => {
  if (kind === "note") return text.replace(/^(\d{1,3})\s*(?=\S)/, "[^$1]: ");
  if (kind === "item") return text.replace(/^(?:[^\p{L}\p{N}(]|\uf0b7)\s+/u, "- ").replace(/^(\d{1,3})\)\s+/, "$1. ");
  return escapeLineStarts(text);
};

const writeTable = (writer: PageWriter, lines: readonly Line[]): void => {
  const rows = pipeTable(lines.map((line) => line.cells ?? [])).split("\n");
  rows.forEach((row, i) => {
    if (i > 0) writer.add("\n");
    // Line 2 is the rule under the header.
    writer.startPage(lines[i < 2 ? 0 : i - 1]?.page ?? 0);
    writer.add(row);
  });
};

/** Writes a table of contents as a list, without the dots before the page numbers. */
const writeContents = (writer: PageWriter, lines: readonly Line[]): void => {
  lines.forEach((line, i) => {
    if (i > 0) writer.add("\n");
    writer.startPage(line.page);
    writer.add(`- ${line.text.replace(/\s*(?:[._…]\s?){5,}\s*/g, " … ").trim()}`);
  });
};

/** Joins paragraphs and tables that continue in the next column or page. Moves notes before such a paragraph. */
const joinParagraphs = (blocks: readonly PdfBlock[]): PdfBlock[] => {
  const merged: PdfBlock[] = [];
  for (const block of blocks) {
    const at = block.isFirst ? merged.findLastIndex((each) => each.kind !== "note") : -1;
    const last = merged[at];
    if (last && goesOn(last, block)) {
      const notes = merged.splice(at + 1);
      merged.splice(at, 0, ...notes);
      const isRepeated = block.kind === "table" && String(block.lines[0]?.cells) === String(last.lines[0]?.cells);
      for (const line of isRepeated ? block.lines.slice(1) : block.lines) last.lines.push(line);
    } else merged.push({ ...block, lines: [...block.lines] });
  }
  return withoutContentsHeadings(merged);
};

const goesOn = (last: PdfBlock, next: PdfBlock): boolean => {
  if (Math.abs(last.size - next.size) > 0.6) return false;
  if (last.kind === "table" && next.kind === "table") {
    const isSame = last.columns.every((x, i) => Math.abs(x - (next.columns[i] ?? 0)) < 12);
    return isSame && last.columns.length === next.columns.length;
  }
  if (next.kind !== "paragraph" || (last.kind !== "paragraph" && last.kind !== "item")) return false;
  const end = last.lines.at(-1)?.text ?? "";
  const start = next.lines[0]?.text ?? "";
  if (SENTENCE_END.test(end)) return false;
  const length = last.lines.reduce((sum, { text }) => sum + text.length, 0);
  return /^[\p{Ll}\p{Lo}]/u.test(start) || /[\p{L}\d][,-]$/u.test(end) || length >= MIN_PROSE_CHARACTERS;
};

/** Turns the heading of a table of contents into text, because the chapters are not below it. */
const withoutContentsHeadings = (blocks: PdfBlock[]): PdfBlock[] => {
  blocks.forEach((block, i) => {
    if (block.kind === "heading" && blocks[i + 1]?.kind === "contents") block.kind = "paragraph";
  });
  return blocks;
};

const levelKey = ({ size, font }: PdfBlock): string => `${size.toFixed(1)} ${font}`;

/** Heading levels by size, the largest first. For equal sizes, the font that appears first is higher. */
const headingLevels = (blocks: readonly PdfBlock[]): Map<string, number> => {
  const sizes = [...new Set(blocks.filter((block) => block.kind === "heading").map((block) => block.size.toFixed(1)))];
  sizes.sort((a, b) => Number(b) - Number(a));
  const levels = new Map<string, number>();
  for (const block of blocks)
    if (block.kind === "heading") levels.set(levelKey(block), sizes.indexOf(block.size.toFixed(1)) + 1);
  return levels;
};

/** The words of all lines, except those split at a line end. */
const wordsOf = (blocks: readonly PdfBlock[]): Set<string> => {
  const words = new Set<string>();
  for (const { lines } of blocks) {
    for (const { text } of lines) {
      for (const word of text.match(/\p{L}+(?:-\p{L}+)*(?![\p{L}-])/gu) ?? []) words.add(word.toLowerCase());
    }
  }
  return words;
};

/** Prefixes that keep their hyphen. */
const HYPHENATED_PREFIX = /^(?:self|non|well|cross|all|ex|half|quasi)$/i;

/** Joins two lines with a space, or without one if a word is split between them. */
const joined = (above: string, below: string, words: ReadonlySet<string>): string => {
  const [, start = ""] = /(\p{L}+)[-\u2010]$/u.exec(above.slice(-60)) ?? [];
  const [end = ""] = /^\p{L}+/u.exec(below.slice(0, 60)) ?? [];
  if (start !== "" && end !== "") {
    const isCompound = words.has(`${start}-${end}`.toLowerCase()) && !words.has((start + end).toLowerCase());
    const isKept = isCompound || HYPHENATED_PREFIX.test(start) || /^\p{Lu}/u.test(end);
    return (isKept ? above : above.slice(0, -1)) + below;
  }
  if (/\p{N}-$/u.test(above) || /\p{L}-$/u.test(above)) return above + below;
  const isUnspaced = UNSPACED.test(above.at(-1) ?? "") && UNSPACED.test(below[0] ?? "");
  return isUnspaced ? above + below : `${above} ${below}`;
};
