import type { Metadata } from "../../embeddings/contract";

/** A chunk with the details of its document that an answer shows. */
export interface StoredChunk {
  id: string;
  documentId: string;
  documentTitle: string;
  /** Hash of the document's content that the offsets count in. */
  documentHash: string;
  source: string | null;
  metadata: Metadata;
  /** Within the document, from 0. */
  position: number;
  /** The document's text from `start` to `end`, in UTF-16. */
  text: string;
  start: number;
  end: number;
  heading: string | null;
  page: number | null;
  /** Tokens of the embedding model. */
  tokens: number;
  /** Offsets where each page of the document begins; empty without pages. */
  pages: readonly number[];
}

/** A passage of the prompt: one chunk, or several that follow each other in a document. */
export interface Context {
  /** From 1; the n of the marker [n]. */
  number: number;
  /** The document's text from `start` to `end`; white space between two chunks is written as line breaks. */
  text: string;
  start: number;
  end: number;
  /** In the order of the document. */
  chunks: readonly [StoredChunk, ...StoredChunk[]];
}

type Passage = Omit<Context, "number">;

/** Chunks that follow each other have at most this many characters of white space between them. */
const MAX_GAP = 8;

const follows = (passage: Passage, chunk: StoredChunk): boolean => {
  if (chunk.start <= passage.end) return true;
  return chunk.position - 1 === passage.chunks.at(-1)?.position && chunk.start - passage.end <= MAX_GAP;
};

const extend = (passage: Passage, chunk: StoredChunk): Passage => {
  const gap = "\n".repeat(Math.max(0, chunk.start - passage.end));
  const added = chunk.text.slice(Math.max(0, passage.end - chunk.start));
  return {
    text: passage.text + gap + added,
    start: passage.start,
    end: Math.max(passage.end, chunk.end),
    chunks: [...passage.chunks, chunk],
  };
};

/** Joins the chunks of one document where they touch or overlap. */
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
 * Merges ranked chunks into contexts, so that no text is in the prompt twice. Contexts are in the order of their best
 * chunk.
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
