import { type ExtractedDocument, unreadable } from "../extract/document";
import { fitUnits } from "./fit-units";
import { MAX_CHUNK_CHARACTERS, packSection } from "./pack";
import { addPrefixes, type FittedSection } from "./prefix";
import { sectionsOf } from "./sections";
import { type CountTokens, TokenCounter } from "./token-counter";

/** Name and version of this chunker: an index that another version built has other chunks. */
export const CHUNKER = "markdown@1";

export interface ChunkOptions {
  /** Maximum tokens of a chunk's `searchText`. */
  chunkTokens: number;
  /** Tokens at the end of a chunk that the next one repeats, in whole sentences. */
  overlapTokens: number;
  title: string | null;
  /** Called a few times for a document, with many texts. */
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
  /** From 1; the page where its text begins. */
  page: number | null;
  /** Of `searchText`. */
  tokens: number;
  /**
   * What is embedded and searched: title, headings, the header of its table or the list item above, then the text.
   */
  searchText: string;
}

const MAX_SECTIONS = 100_000;
/** An introduction of up to this share of a chunk joins the first section below it. */
const MAX_INTRODUCTION_SHARE = 0.25;

/**
 * Cuts a document into chunks, each from one section and one page. No chunk has more than `chunkTokens` tokens or
 * 20,000
 * characters, or cuts a sentence, a list item, a table row or a code block that fits. Throws invalid_request for too
 * many sections.
 */
export const chunkDocument = async (document: ExtractedDocument, options: ChunkOptions): Promise<ChunkPiece[]> => {
  const counter = new TokenCounter(options.countTokens);
  await counter.start();
  const found = sectionsOf(document.text);
  if (found.length > MAX_SECTIONS) {
    throw unreadable(`The document has more than the limit of ${MAX_SECTIONS} sections. Split it into several files.`);
  }
  const sections = await addPrefixes(found, options, counter);
  await fitUnits(document.text, sections, options, counter);
  const isRows = document.mediaType === "text/csv";
  return packSections(document, isRows ? sections : joinIntroductions(document, sections, options), options, counter);
};

/** Joins a short text under a heading with the first section below it, if they fit into one chunk. */
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

/** From 1, or null for a document without pages. */
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
 * Packs sections into chunks and counts these. A section with a chunk that is too long after all is packed again, more
 * loosely.
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
