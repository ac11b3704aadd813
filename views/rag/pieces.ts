/** UTF-16 offsets. */
export interface Span {
  start: number;
  end: number;
}

export interface MarkedSpan extends Span {
  kind: string;
}

export interface Piece extends Span {
  text: string;
  /** Kinds of the spans that contain the piece. */
  kinds: string[];
}

/**
 * Splits the part of a text from `start` to `end` at the boundaries of all spans. Every character is in exactly one
 * piece, in order.
 */
export const piecesOf = (text: string, { start, end }: Span, spans: readonly MarkedSpan[]): Piece[] => {
  const inside = spans.filter((span) => span.start < end && span.end > start && span.start < span.end);
  const borders = inside.flatMap((span) => [span.start, span.end]).filter((at) => at > start && at < end);
  const cuts = [...new Set([start, ...borders, end])].toSorted((one, other) => one - other);
  return cuts.slice(0, -1).map((from, index) => {
    const to = cuts[index + 1] ?? end;
    const kinds = inside.filter((span) => span.start <= from && span.end >= to).map(({ kind }) => kind);
    return { start: from, end: to, text: text.slice(from, to), kinds };
  });
};

/** Lines of stored Markdown that are easier to read in a different style: headings, tables and code. */
export const lineSpans = (text: string): MarkedSpan[] => {
  const spans: MarkedSpan[] = [];
  let isInCode = false;
  for (const { 0: line, index } of text.matchAll(/.+/g)) {
    const span = { start: index, end: index + line.length };
    const isFence = /^\s*(?:```|~~~)/.test(line);
    if (isInCode || isFence || /^\s*\|/.test(line)) spans.push({ ...span, kind: "mono" });
    else if (/^#{1,6} /.test(line)) spans.push({ ...span, kind: "title" });
    if (isFence) isInCode = !isInCode;
  }
  return spans;
};

/** Part of a text that belongs to a chunk. Its beginning may repeat the end of the previous chunk. */
export interface Block<T> extends Span {
  chunk: T | undefined;
  /** Offset where the part that repeats the previous chunk ends. */
  repeatsTo: number;
}

/** Splits a text at the starts of its chunks, which are in order and may overlap. */
export const blocksOf = <T extends Span>(length: number, chunks: readonly T[]): Block<T>[] => {
  const [first] = chunks;
  if (!first) return [{ start: 0, end: length, chunk: undefined, repeatsTo: 0 }];
  return chunks.map((chunk, index) => {
    const start = index === 0 ? 0 : chunk.start;
    const end = chunks[index + 1]?.start ?? length;
    const repeatsTo = Math.min(end, Math.max(start, chunks[index - 1]?.end ?? start));
    return { start, end, chunk, repeatsTo };
  });
};
