/*
 * Step 1 of Porter's stemmer (Porter 1980, "An algorithm for suffix stripping"): plurals, -ed and -ing. The later steps
 * cut off what tells words of an answer apart ("relativity", "relative").
 */

const VOWEL = /[aeiouy]/;
const DOUBLED = /([^aeiouylsz])\1$/;
const SHORT = /^[^aeiou]?[aeiouy][^aeiouwxy]$/;
const ASCII = /^[a-z]{4,40}$/;

const plural = (word: string): string => {
  if (word.endsWith("sses")) return word.slice(0, -2);
  if (word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (word.endsWith("ss") || word.endsWith("us") || word.endsWith("is")) return word;
  if (/(?:x|ch|sh)es$/.test(word)) return word.slice(0, -2);
  return word.endsWith("s") ? word.slice(0, -1) : word;
};

const restored = (stem: string): string => {
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (DOUBLED.test(stem)) return stem.slice(0, -1);
  return SHORT.test(stem) ? `${stem}e` : stem;
};

const inflected = (word: string): string => {
  for (const ending of ["ing", "ed"]) {
    if (!word.endsWith(ending)) continue;
    const stem = word.slice(0, -ending.length);
    // "king", "shed": nothing that could be a verb is left.
    return stem.length >= 3 && VOWEL.test(stem) ? restored(stem) : word;
  }
  return word;
};

/** The stem of a lower-case English word; words with other letters, digits, or less than four letters stay. */
export const stemOf = (word: string): string => {
  if (!ASCII.test(word)) return word;
  const stem = inflected(plural(word));
  // "filme" and "film", "write" and "writ": the final e is the ending's, not the word's.
  return stem.length > 3 && stem.endsWith("e") ? stem.slice(0, -1) : stem;
};
