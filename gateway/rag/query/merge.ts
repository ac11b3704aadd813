import type { Metadata } from "../../embeddings/contract";

/** A chunk with the fields of its document that an answer shows. */
export interface StoredChunk {
  id: string;
  documentId: string;
  documentTitle: string;
  /** Hash of the document's text that the offsets refer to. */
  documentHash: string;
  source: string | null;
  metadata: Metadata;
  /** Position in the document, from 0. */
  position: number;
  /** The document's text from `start` to `end`, which are UTF-16 offsets. */
  text: string;
  start: number;
  end: number;
  heading: string | null;
  page: number | null;
  /** Number of tokens of the embedding model. */
  tokens: number;
  /** UTF-16 offset of each page in the document; empty if the format has no pages. */
  pages: readonly number[];
}

/** A passage of the prompt: one chunk, or several consecutive chunks of a document. */
export interface Context {
  /** The n of the marker [n], from 1. */
  number: number;
  /** The document's text from `start` to `end`. White space between two chunks becomes line breaks. */
  text: string;
  start: number;
  end: number;
  /** In document order. */
  chunks: readonly [StoredChunk, ...StoredChunk[]];
}

type Passage = Omit<Context, "number">;

/** Maximum white space between consecutive chunks, in characters. */
const MAX_GAP = 8;

const follows = (passage: Passage, chunk: StoredChunk): boolean => {
  if (chunk.start <= passage.end) return true;
  return chunk.position - 1 === passage.chunks.at(-1)?.position && chunk.start - passage.end <= MAX_GAP;
};

type Piece = Pick<StoredChunk, "text" | "start" | "end">;

/** The text of two pieces that touch or overlap, where `after` doesn't start before `before`. */
const joined = <T extends Piece>(before: T, after: Piece): T => {
  const gap = "\n".repeat(Math.max(0, after.start - before.end));
  const added = after.text.slice(Math.max(0, before.end - after.start));
  return { ...before, text: before.text + gap + added, end: Math.max(before.end, after.end) };
};

const extend = (passage: Passage, chunk: StoredChunk): Passage => ({
  ...joined(passage, chunk),
  chunks: [...passage.chunks, chunk],
});

/** The text of the chunks of one context. */
export const joinTexts = (chunks: readonly Piece[]): string =>
  chunks.toSorted((a, b) => a.start - b.start || b.end - a.end).reduce(joined).text;

/** Joins the chunks of one document that touch or overlap. */
const joinNeighbours = (chunks: readonly StoredChunk[]): Passage[] => {
  const passages: Passage[] = [];
  for (const chunk of chunks.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = passages.at(-1);
    if (last && follows(last, chunk)) passages[passages.length - 1] = extend(last, chunk);
    else passages.push({ text: chunk.text, start: chunk.start, end: chunk.end, chunks: [chunk] });
  }
  return passages;
};

/**
 * Merges ranked chunks into contexts, so that the prompt contains no text twice. A context is ranked by its best chunk.
 */
export const mergeChunks = (ranked: readonly StoredChunk[]): Context[] => {
  const rankOf = new Map(ranked.map(({ id }, rank) => [id, rank]));
  const bestRank = ({ chunks }: Passage) => Math.min(...chunks.map(({ id }) => rankOf.get(id) ?? 0));
  const byDocument = Map.groupBy(ranked, ({ documentId, documentHash }) => `${documentId} ${documentHash}`);
  return [...byDocument.values()]
    .flatMap(joinNeighbours)
    .toSorted((a, b) => bestRank(a) - bestRank(b))
    .map((passage, index) => ({ ...passage, number: index + 1 }));
};
