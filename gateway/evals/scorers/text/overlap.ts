/* Overlap of two lists of words, as stems or normalised. All values are 0…1, and 0 if either list is empty. */

type Words = readonly string[];

/** How often each word occurs. */
export const countWords = (words: Words): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
};

/** The number of words that both lists contain. Each word counts as often as in the list where it is rarer. */
export const inCommon = (words: Words, others: ReadonlyMap<string, number>): number => {
  let common = 0;
  for (const [word, count] of countWords(words)) common += Math.min(count, others.get(word) ?? 0);
  return common;
};

const commonCount = (a: Words, b: Words): number => inCommon(a, countWords(b));

const share = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);

/** The fraction of the words in `expected` that occur in `given`. */
export const recall = (expected: Words, given: Words): number => share(commonCount(expected, given), expected.length);

/** The harmonic mean of precision and recall (Rajpurkar et al. 2016, SQuAD). */
export const tokenF1 = (expected: Words, given: Words): number =>
  share(2 * commonCount(expected, given), expected.length + given.length);

/** All sequences of `length` neighbouring words. */
export const runsOf = (words: Words, length: number): string[] =>
  words.slice(length - 1).map((_, at) => words.slice(at, at + length).join(" "));

/** Maximum number of cells in a longest-common-subsequence table. Only the beginning of longer lists is compared. */
const MAX_CELLS = 4_000_000;

/** The length of the longest common subsequence. */
export const lcsLength = (a: Words, b: Words): number => {
  const rows = a.slice(0, Math.max(1, Math.floor(MAX_CELLS / Math.max(1, b.length))));
  const columns = b.slice(0, MAX_CELLS);
  let above = new Int32Array(columns.length + 1);
  let current = new Int32Array(columns.length + 1);
  for (const word of rows) {
    for (let i = 1; i <= columns.length; i++) {
      current[i] = word === columns[i - 1] ? (above[i - 1] ?? 0) + 1 : Math.max(above[i] ?? 0, current[i - 1] ?? 0);
    }
    [above, current] = [current, above];
  }
  return above[columns.length] ?? 0;
};

/** ROUGE-L: F1 of the longest common subsequence (Lin 2004). */
export const rougeL = (expected: Words, given: Words): number =>
  share(2 * lcsLength(expected, given), expected.length + given.length);

/** The index of the first occurrence of `part` in `words`; -1 if there is none or `part` is empty. */
export const indexOfRun = (words: Words, part: Words, from = 0): number => {
  if (part.length === 0) return -1;
  for (let i = from; i + part.length <= words.length; i++) {
    let length = 0;
    while (length < part.length && words[i + length] === part[length]) length++;
    if (length === part.length) return i;
  }
  return -1;
};
