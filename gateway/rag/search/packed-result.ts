import type { SearchHit, SearchResult } from "./search";

/**
 * A search result as few large values, because sending 200 hits between threads as objects takes four times as long.
 */
export interface PackedResult extends Omit<SearchResult, "hits"> {
  /** Ids of the chunks and of their documents, separated by SEPARATOR. */
  ids: string;
  documents: string;
  /** Six per hit: scores, then ranks, by vector, keyword and fused. NaN for null. */
  numbers: Float64Array<ArrayBuffer>;
}

const NUMBERS = 6;
const SEPARATOR = "\n";

export const packResult = ({ hits, ...rest }: SearchResult): PackedResult => {
  const numbers = new Float64Array(hits.length * NUMBERS);
  hits.forEach(({ scores, ranks }, place) => {
    [scores, ranks].forEach(({ vector, keyword, fused }, half) => {
      const at = place * NUMBERS + half * 3;
      numbers[at] = vector ?? Number.NaN;
      numbers[at + 1] = keyword ?? Number.NaN;
      numbers[at + 2] = fused ?? Number.NaN;
    });
  });
  const ids = hits.map(({ id }) => id).join(SEPARATOR);
  return { ...rest, ids, documents: hits.map(({ document }) => document).join(SEPARATOR), numbers };
};

export const unpackResult = ({ ids, documents, numbers, ...rest }: PackedResult): SearchResult => {
  const documentIds = documents.split(SEPARATOR);
  const number = (at: number): number | null => {
    const value = numbers[at] as number;
    return Number.isNaN(value) ? null : value;
  };
  const three = (at: number) => ({ vector: number(at), keyword: number(at + 1), fused: number(at + 2) });
  const hits = (ids === "" ? [] : ids.split(SEPARATOR)).map((id, place): SearchHit => {
    const at = place * NUMBERS;
    return { id, document: documentIds[place] as string, scores: three(at), ranks: three(at + 3) };
  });
  return { hits, ...rest };
};
