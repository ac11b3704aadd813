import { type ExtractedDocument, unreadable } from "../extract/document";
import { fitUnits } from "./fit-units";
import { MAX_CHUNK_CHARACTERS, packSection } from "./pack";
import { addPrefixes, type FittedSection } from "./prefix";
import { sectionsOf } from "./sections";
import { type CountTokens, TokenCounter } from "./token-counter";

/** Name and version of this chunker. Raise the version when the chunks of any text change. */
export const CHUNKER = "markdown@1";

export interface ChunkOptions {
  /** Maximum tokens of a chunk's `searchText`. */
  chunkTokens: number;
  /** Maximum tokens that a chunk repeats from the previous one, in whole sentences. */
  overlapTokens: number;
  title: string | null;
  /** Called a few times per document, with many texts each time. */
  countTokens: CountTokens;
}

export interface ChunkPiece {
  /** UTF-16 offsets in the document's text. */
  start: number;
  end: number;
  /** The document's text from `start` to `end`. */
  text: string;
  /** Headings above it: `Leave > Illness`. */
  heading: string | null;
  /** The page on which the text begins, from 1; null if the format has no pages. */
  page: number | null;
  /** Token count of `searchText`. */
  tokens: number;
  /** The text to embed and search: title, headings, table header or parent list item, then the chunk. */
  searchText: string;
}

const MAX_SECTIONS = 100_000;
/** An introduction that takes at most this fraction of a chunk joins the first section below it. */
const MAX_INTRODUCTION_SHARE = 0.25;

/**
 * Splits a document into chunks, each from one section and one page. A chunk has at most `chunkTokens` tokens and 20,000
 * characters. It never cuts a sentence, list item, table row or code block that fits into one chunk. Throws
 * invalid_request for too many sections.
 */
export const chunkDocument = async (document: ExtractedDocument, options: ChunkOptions): Promise<ChunkPiece[]> => {
  const counter = new TokenCounter(options.countTokens);
  await counter.start();
  const found = sectionsOf(document.text);
  if (found.length > MAX_SECTIONS) {
    throw unreadable(`The document has more than ${MAX_SECTIONS} sections. Split it into several files.`);
  }
  const sections = await addPrefixes(found, options, counter);
  await fitUnits(document.text, sections, options, counter);
  const isRows = document.mediaType === "text/csv";
  return packSections(document, isRows ? sections : joinIntroductions(document, sections, options), options, counter);
};

/** Joins a short introduction with the first section below it, if both fit into one chunk. */
const joinIntroductions = (
  { pages }: ExtractedDocument,
  sections: readonly FittedSection[],
  { chunkTokens }: ChunkOptions,
): FittedSection[] => {
  const joined: FittedSection[] = [];
  for (const section of sections) {
    const last = joined.at(-1);
    if (
      last &&
      isBelow(section, last) &&
      pageAt(pages, last.units[0]?.start ?? 0) === pageAt(pages, section.units.at(-1)?.start ?? 0)
    ) {
      const introduction = tokensOf(last);
      const fits = introduction + tokensOf(section) <= section.budget;
      if (introduction <= chunkTokens * MAX_INTRODUCTION_SHARE && fits) {
        joined[joined.length - 1] = { ...section, units: [...last.units, ...section.units] };
        continue;
      }
    }
    joined.push(section);
  }
  return joined;
};

const tokensOf = ({ units }: FittedSection): number => units.reduce((sum, unit) => sum + (unit.tokens ?? 0), 0);

const isBelow = ({ path }: FittedSection, upper: FittedSection): boolean =>
  upper.path.length < path.length && upper.path.every((title, i) => title === path[i]);

/** Page number from 1, or null if the document has no pages. */
const pageAt = (pages: readonly number[], offset: number): number | null => {
  let low = 0;
  let high = pages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pages[middle] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return pages.length === 0 ? null : Math.max(1, low);
};

/**
 * Packs sections into chunks and counts their tokens. If a chunk turns out too long, its section is packed again with a
 * smaller budget.
 */
const packSections = async (
  document: ExtractedDocument,
  sections: readonly FittedSection[],
  { chunkTokens, overlapTokens }: ChunkOptions,
  counter: TokenCounter,
): Promise<ChunkPiece[]> => {
  const pieces = new Map<FittedSection, ChunkPiece[]>();
  let pending = [...sections];
  while (pending.length > 0) {
    for (const section of pending) pieces.set(section, piecesOf(document, section, overlapTokens));
    const all = pending.flatMap((section) => pieces.get(section) ?? []);
    await counter.count(all.map((piece) => piece.searchText));
    for (const piece of all) piece.tokens = counter.of(piece.searchText);
    pending = pending.filter((section) => {
      const most = (pieces.get(section) ?? []).reduce((max, piece) => Math.max(max, piece.tokens), 0);
      if (most <= chunkTokens || section.budget <= 1) return false;
      section.budget = Math.max(1, Math.min(section.budget - 1, Math.floor((section.budget * chunkTokens) / most)));
      return true;
    });
  }
  return sections.flatMap((section) => pieces.get(section) ?? []);
};

const piecesOf = ({ text, pages }: ExtractedDocument, section: FittedSection, overlap: number): ChunkPiece[] => {
  const { budget, prefix, heading } = section;
  const maxCharacters = MAX_CHUNK_CHARACTERS - prefix.length;
  const packs = packSection(section, { budget, overlap, maxCharacters, pageOf: (offset) => pageAt(pages, offset) });
  return packs.map(({ start, end, bodyStart, header }) => {
    const repeated = header ? `${text.slice(header.start, header.end)}\n` : "";
    return {
      start,
      end,
      text: text.slice(start, end),
      heading,
      page: pageAt(pages, bodyStart),
      tokens: 0,
      searchText: prefix + repeated + text.slice(bodyStart, end),
    };
  });
};
