import type { Range, TextBlock } from "./blocks";

/** A part of a text that is not cut if it fits into a chunk. */
export interface Unit extends Range {
  kind: "sentence" | "item" | "row" | "code";
  /** The table header of a row, or the parent of a nested list item. Repeated for search if a chunk begins here. */
  header?: Range;
  headerTokens?: number;
  /** Start of the headings directly above the unit. */
  headingStart?: number;
  /** Without the model's special tokens; undefined until counted. */
  tokens?: number;
  /** How to split the unit if it is too long: an index into `SPLITS`. */
  split: number;
}

/** Maximum characters per call of the segmenter, whose time and memory grow with the length. */
const MAX_SEGMENTED = 50_000;
const SENTENCES = new Intl.Segmenter("en", { granularity: "sentence" });
/** Abbreviations whose full stop doesn't end a sentence. */
const ABBREVIATION =
  /(?:^|[\s([])(?:Dr|Mr|Mrs|Ms|Prof|St|No|Nr|vs|etc|e\.\s?g|i\.\s?e|z\.\s?B|bzw|ca|approx|Fig|Abb|Art|Sec|Vol|pp?|\p{Lu}|\d{1,2})\.\s*$/u;

/** The units of a block: sentences of a paragraph, rows of a table, or the whole list item or code block. */
export const unitsOf = (text: string, block: TextBlock): Unit[] => {
  const { start, end } = block;
  if (block.kind === "code") return [{ kind: "code", start, end, split: 0 }];
  if (block.kind === "item") return [{ kind: "item", start, end, split: 1 }];
  if (block.kind === "table") return rowUnits(block);
  return sentencesOf(text, block).map((range) => ({ kind: "sentence", ...range, split: 2 }));
};

/** The header belongs to the unit of the first row. */
const rowUnits = ({ start, end, header, rows }: Extract<TextBlock, { kind: "table" }>): Unit[] => {
  if (rows.length === 0) return [{ kind: "row", start, end, split: 3 }];
  return rows.map((row, i) =>
    i === 0 ? { kind: "row", start, end: row.end, split: 0 } : { kind: "row", ...row, header, split: 2 },
  );
};

const sentencesOf = (text: string, { start, end }: Range): Range[] => {
  const sentences: Range[] = [];
  for (let from = start; from < end; ) {
    const until = from + MAX_SEGMENTED < end ? spaceBefore(text, from + MAX_SEGMENTED, from) : end;
    // A line break doesn't end a sentence.
    const part = text.slice(from, until).replaceAll("\n", " ");
    let isOpen = false;
    for (const { segment, index } of SENTENCES.segment(part)) {
      const last = sentences.at(-1);
      if (isOpen && last) last.end = from + index + segment.length;
      else sentences.push({ start: from + index, end: from + index + segment.length });
      isOpen = ABBREVIATION.test(segment.slice(-20));
    }
    from = until;
  }
  return sentences.map((range) => trimmed(text, range)).filter((range) => range.start < range.end);
};

const spaceBefore = (text: string, at: number, from: number): number => {
  const space = text.lastIndexOf(" ", at);
  return space > from + MAX_SEGMENTED / 2 ? space + 1 : whole(text, at);
};

/** The range without white space at both ends. */
const trimmed = (text: string, { start, end }: Range): Range => {
  let [from, to] = [start, end];
  while (from < to && text.charAt(from).trim() === "") from++;
  while (to > from && text.charAt(to - 1).trim() === "") to--;
  return { start: from, end: to };
};

/** The next offset that is not inside a surrogate pair or between a letter and its combining marks. */
const whole = (text: string, at: number): number => {
  let to = at;
  while (to < text.length && to < at + 20 && isJoined(text.charAt(to))) to++;
  return isLowSurrogate(text.charCodeAt(to)) ? to + 1 : to;
};

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;

const isJoined = (character: string): boolean =>
  isLowSurrogate(character.charCodeAt(0)) || /^(?:\p{M}|\p{Join_Control})/u.test(character);

/** A text that doesn't fit is cut after one of these matches, the best kind first. */
const SPLITS: readonly RegExp[] = [
  /\n/g,
  /(?<=[.!?؟…])\s+|(?<=[。！？])|\n/g,
  /[}\]](?:,|(?=[^}\],]))|\s\|\s/g,
  /[;；](?!\S)|[;；](?=\S)|[,，、،](?=\s)|(?<=")\s*,/g,
  /\s+/g,
];

/** Splits a unit that is too long. Parts have about `maxCharacters` at most if the text has no better place to cut. */
export const splitUnit = (text: string, unit: Unit, maxCharacters: number): Unit[] => {
  for (let split = unit.split; split < SPLITS.length; split++) {
    const parts = cutAfter(text, unit, SPLITS[split] ?? /\s/g);
    if (parts.length > 1) return parts.map((range) => ({ ...unit, ...range, split: split + 1 }));
  }
  const length = unit.end - unit.start;
  const step = Math.max(1, Math.min(maxCharacters, Math.ceil(length / 2)));
  const parts: Unit[] = [];
  for (let from = unit.start; from < unit.end; ) {
    const to = Math.min(unit.end, whole(text, from + step));
    parts.push({ ...unit, start: from, end: to, split: SPLITS.length });
    from = to;
  }
  return parts;
};

const cutAfter = (text: string, { start, end }: Range, pattern: RegExp): Range[] => {
  const parts: Range[] = [];
  const source = text.slice(start, end);
  let from = 0;
  for (const { index, 0: match } of source.matchAll(pattern)) {
    parts.push({ start: start + from, end: start + index + match.length });
    from = index + match.length;
  }
  parts.push({ start: start + from, end });
  return parts.map((range) => trimmed(text, range)).filter((range) => range.start < range.end);
};
