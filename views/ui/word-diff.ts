/** A stretch of one text, and whether the other text has it at this place too. */
export interface DiffPiece {
  text: string;
  isShared: boolean;
}

/** Maximum number of pairs of words or lines to compare. Longer texts are not marked. */
export const MAX_CELLS = 4_000_000;
/** Below this share of common words, marking differences would mark nearly everything. */
const MIN_SHARED = 0.25;

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: "word" });
const wordsOf = (text: string): string[] => Array.from(SEGMENTER.segment(text), ({ segment }) => segment);
/** Ignores case and the kind of white space. */
const sameness = (word: string): string => (word.trim() === "" ? " " : word.toLowerCase());
const isWord = (word: string): boolean => /[\p{L}\p{N}]/u.test(word);

/**
 * Compares two texts word by word (longest common subsequence). undefined if they have little in common, or are too long
 * to compare.
 */
export const diffWords = (one: string, other: string): { one: DiffPiece[]; other: DiffPiece[] } | undefined => {
  const [a, b] = [wordsOf(one), wordsOf(other)];
  const [x, y] = [a.map(sameness), b.map(sameness)];
  let start = 0;
  while (start < x.length && start < y.length && x[start] === y[start]) start += 1;
  let end = 0;
  while (end < x.length - start && end < y.length - start && x.at(-1 - end) === y.at(-1 - end)) end += 1;
  const rows = x.length - start - end;
  const columns = y.length - start - end;
  if (rows * columns > MAX_CELLS) return undefined;

  const shared = commonWords(x.slice(start, start + rows), y.slice(start, start + columns));
  const isShared = (side: Set<number>, length: number) => (index: number) =>
    index < start || index >= length - end || side.has(index - start);
  const [inOne, inOther] = [isShared(shared.one, x.length), isShared(shared.other, y.length)];
  const common = a.filter((word, index) => isWord(word) && inOne(index)).length;
  const fewest = Math.min(a.filter(isWord).length, b.filter(isWord).length);
  if (common < fewest * MIN_SHARED || common === 0) return undefined;
  return { one: piecesOf(a, inOne), other: piecesOf(b, inOther) };
};

/** Indexes of the words, or lines, of a longest common subsequence in each list. */
export const commonWords = (x: readonly string[], y: readonly string[]): { one: Set<number>; other: Set<number> } => {
  const width = y.length + 1;
  const lengths = new Uint32Array((x.length + 1) * width);
  const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
  for (let row = x.length - 1; row >= 0; row--) {
    for (let column = y.length - 1; column >= 0; column--) {
      lengths[row * width + column] =
        x[row] === y[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const found = { one: new Set<number>(), other: new Set<number>() };
  for (let row = 0, column = 0; row < x.length && column < y.length; ) {
    if (x[row] === y[column]) {
      found.one.add(row++);
      found.other.add(column++);
    } else if (at(row + 1, column) >= at(row, column + 1)) row += 1;
    else column += 1;
  }
  return found;
};

/** Joins neighbouring words of the same kind. White space between two changed words belongs to the change. */
const piecesOf = (words: readonly string[], isShared: (index: number) => boolean): DiffPiece[] => {
  const pieces: DiffPiece[] = [];
  for (const [index, text] of words.entries()) {
    const isBetween =
      !isWord(text) && index > 0 && index < words.length - 1 && !isShared(index - 1) && !isShared(index + 1);
    const shared = isShared(index) && !isBetween;
    const last = pieces.at(-1);
    if (last?.isShared === shared) last.text += text;
    else pieces.push({ text, isShared: shared });
  }
  return pieces;
};
