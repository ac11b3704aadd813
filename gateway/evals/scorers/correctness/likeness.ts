/** Edits that turn one word into the other: insertions, deletions, substitutions (Levenshtein 1966); `most` + 1 for more. */
export const editDistance = (a: string, b: string, most: number): number => {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let above = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (above[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      current.push(Math.min(substituted, (above[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    if (Math.min(...current) > most) return most + 1;
    above = current;
  }
  return above[b.length] ?? 0;
};

const sharedStart = (a: string, b: string): number => {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
};

const LONGEST = 40;
const SLIP = 0.9;
const RELATED = 0.6;

/**
 * How alike two words are that are not the same, 0…1: a slip of spelling ("Bennet", "Bennett"), or the same beginning
 * ("Britain", "British"). Numbers and names with symbols must match exactly.
 */
export const likeness = (a: string, b: string): number => {
  const [shorter, longer] = a.length <= b.length ? [a, b] : [b, a];
  if (shorter.length < 4 || longer.length > LONGEST || /[\p{N}+#*]/u.test(a + b)) return 0;
  const granted = shorter.length >= 9 ? 2 : shorter.length >= 5 ? 1 : 0;
  if (granted > 0 && editDistance(a, b, granted) <= granted) return SLIP;
  const start = sharedStart(shorter, longer);
  return start >= 4 && start >= 0.55 * longer.length ? RELATED : 0;
};
