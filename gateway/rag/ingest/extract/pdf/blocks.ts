import { isMonospaced, leftOf, rowsOf, type Segment } from "./spans";
import { type Line, tableAt } from "./tables";

export interface PdfBlock {
  kind: "paragraph" | "heading" | "item" | "table" | "note" | "contents" | "code";
  lines: Line[];
  size: number;
  font: string;
  /** Left edges of a table's columns. */
  columns: number[];
  /** Whether it is the first block of its column or page. */
  isFirst: boolean;
}

/** The most common font, size and line spacing of a document. */
export interface Body {
  size: number;
  font: string;
  /** Distance between baselines, in font sizes. */
  leading: number;
}

const BULLET = /^(?:[•●○▪■◦‣⁃∙·*–—-]|\uf0b7|\u25aa)\s+(?=\S)/;
const NUMBERED = /^(?:\(?\d{1,3}[.)]|\(?[a-z][.)])\s+(?=\S)/;
const LEADER = /(?:\.\s?){5,}\s*\S{1,6}$|(?:_\s?){5,}|…{2,}/;
const SENTENCE_END = /[.!?:;…。！？：；؟]["'”’)\]]*(?:\[\^\d+\])*$/;
const CAPTION = /^(?:figure|fig\.|table|abbildung|abb\.|tabelle|tab\.|source|quelle|note)\b/i;
/** A paragraph ends where the line distance exceeds the usual one by this factor. */
const PARAGRAPH_GAP = 1.25;
/** Maximum gap between lines of code, in font sizes. */
const MAX_CODE_GAP = 4;
const HEADING_SIZE = 1.12;
const NOTE_SIZE = 0.88;
const MAX_HEADING_CHARACTERS = 150;

/** Blocks of one column or of lines across the page, from top to bottom. */
export const blocksOf = (segments: readonly Segment[], body: Body): PdfBlock[] => {
  const rows = rowsOf(segments).map((row) => mergeLabels(row.sort((a, b) => (a.isRtl ? b.x1 - a.x1 : a.x0 - b.x0))));
  const blocks: PdfBlock[] = [];
  let above: Segment | undefined;
  let searchedTo = 0;
  for (let at = 0; at < rows.length; ) {
    if (at >= searchedTo) {
      const { table, end } = tableAt(rows, at);
      searchedTo = end;
      if (table) {
        const { size = 0, font = "" } = rows[at]?.[0] ?? {};
        blocks.push({ kind: "table", ...table, size, font, isFirst: false });
        at = end;
        above = undefined;
        continue;
      }
    }
    const line = lineOf(rows[at++] ?? []);
    const last = blocks.at(-1);
    if (last && above && continues(last, above, line, body)) last.lines.push(plainLine(line));
    else blocks.push(startBlock(line, body));
    above = line;
  }
  for (const block of blocks) if (isHeading(block, body)) block.kind = "heading";
  const [first] = blocks;
  if (first) first.isFirst = true;
  return blocks;
};

/** Joins a bullet or number with the text after it. */
const mergeLabels = (row: Segment[]): Segment[] => {
  const [label, text, ...rest] = row;
  if (
    !label ||
    !text ||
    rest.length > 0 ||
    !/^(?:\S|\uf0b7|\(?\w{1,3}[.)]|\d{1,2}(?:\.\d{1,2}){0,3})$/.test(label.text)
  )
    return row;
  const isPlainNumber = /^\d+$/.test(label.text) && text.x0 - label.x1 > label.size * 3;
  return isPlainNumber ? row : [{ ...text, text: `${label.text} ${text.text}`, x0: label.x0, hasLabel: true }];
};

const lineOf = (row: readonly Segment[]): Segment => {
  const biggest = row.reduce((most, segment) => (segment.size > most.size ? segment : most));
  return {
    ...biggest,
    text: row.map((segment) => segment.text).join(" "),
    x0: leftOf(row),
  };
};

const isItem = (text: string): boolean => BULLET.test(text) || NUMBERED.test(text);

const plainLine = ({ text, page, x0 }: Segment): Line => ({ text, page, x0 });

const isCode = (line: Segment, body: Body): boolean =>
  isMonospaced(line) && !isMonospaced(body) && !BULLET.test(line.text);

const startBlock = (line: Segment, body: Body): PdfBlock => {
  const { size, font } = line;
  const kind = isCode(line, body) ? "code" : textKind(line, body);
  return { kind, lines: [plainLine(line)], size, font, columns: [], isFirst: false };
};

const textKind = ({ text, size }: Segment, body: Body): PdfBlock["kind"] => {
  if (LEADER.test(text)) return "contents";
  if (isItem(text)) return "item";
  return size <= body.size * NOTE_SIZE && /^(?:\d{1,3}|[*†‡])\s*\S/.test(text) ? "note" : "paragraph";
};

/** Whether a line belongs to the block above it. */
const continues = (block: PdfBlock, above: Segment, line: Segment, body: Body): boolean => {
  if (block.kind === "table" || Math.abs(line.size - above.size) > 0.6) return false;
  if (isCode(line, body) || block.kind === "code") {
    return isCode(line, body) && block.kind === "code" && above.y - line.y < line.size * MAX_CODE_GAP;
  }
  const isFar = above.y - line.y > line.size * Math.max(body.leading, 1.1) * PARAGRAPH_GAP;
  if (LEADER.test(line.text) || block.kind === "contents") return LEADER.test(line.text) && block.kind === "contents";
  if (isFar || line.hasLabel) return false;
  const endsSentence = SENTENCE_END.test(block.lines.at(-1)?.text ?? "");
  if (BULLET.test(line.text) || (NUMBERED.test(line.text) && (endsSentence || block.kind === "item"))) return false;
  if (block.kind === "note" && /^\d{1,3}\s/.test(line.text) && endsSentence) return false;
  if (line.font !== above.font && block.lines.length === 1 && isShort(block) && block.font !== body.font) return false;
  const isIndented = line.x0 - above.x0 > line.size * 0.8 && line.x0 - above.x0 < line.size * 4;
  return !(isIndented && endsSentence && block.kind === "paragraph" && block.lines.length > 1);
};

const isShort = ({ lines }: PdfBlock): boolean =>
  lines.reduce((sum, { text }) => sum + text.length, 0) <= MAX_HEADING_CHARACTERS;

const isHeading = (block: PdfBlock, body: Body): boolean => {
  const text = block.lines.map((line) => line.text).join(" ");
  const mayBe = block.kind === "paragraph" || (block.kind === "item" && NUMBERED.test(text));
  if (!mayBe || !isShort(block) || !/\p{L}/u.test(text)) return false;
  if (block.size >= body.size * HEADING_SIZE) return text.length <= 60 || !/[.:;,]$/.test(text);
  const isSet =
    block.kind === "paragraph" && block.font !== body.font && block.size >= body.size * 0.95 && block.lines.length <= 2;
  return isSet && text.length <= 90 && !/[.,;:]$/.test(text) && /^[\p{Lu}\p{Lo}\d]/u.test(text) && !CAPTION.test(text);
};
