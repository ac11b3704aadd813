/*
 * English: step 1 of Porter's stemmer (Porter 1980, "An algorithm for suffix stripping"): plurals, -ed and -ing. The
 * later steps remove what distinguishes words of an answer ("relativity", "relative").
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
    // In "king" and "shed", what remains could not be a verb.
    return stem.length >= 3 && VOWEL.test(stem) ? restored(stem) : word;
  }
  return word;
};

/** Korean endings of names and nouns: particles, and forms of "to be". */
const KOREAN_COPULA =
  /(?:이?(?:었|였)(?:습니다|어요|다)|입니다|이?랍니다|이에요|예요|이다|이고|이며|인데|입니까|이?(?:라고|라는|라서))$/u;
const KOREAN_PARTICLE =
  /(?:에서(?:는|도|의)?|에게(?:서)?|한테|께서|(?:으)?로(?:는|도|서|써|부터)?|까지|부터|보다|처럼|마다|조차|이?야|에(?:는|도)?|은|는|이|가|을|를|의|과|와|도|만|께|랑)$/u;

/** Removes a particle. Keeps what may be the second syllable of a name: "대만" is not "대" with a particle. */
const koreanStem = (word: string): string => {
  const bare = word.replace(KOREAN_COPULA, "") || word;
  const short = bare.replace(KOREAN_PARTICLE, "");
  return short.length >= 2 ? short : bare;
};

/** Whether a word is a name with a Korean particle or a form of "to be": "물을" for "물". */
export const hasKoreanEnding = (name: string, word: string): boolean => {
  if (!/\p{sc=Hangul}$/u.test(name) || !word.startsWith(name) || word.length === name.length) return false;
  const ending = word.slice(name.length);
  return ending.replace(KOREAN_COPULA, "").replace(KOREAN_PARTICLE, "") === "";
};

/** The Arabic article and the prefixes joined to it: "الكتاب", "والكتاب", "للكتاب". */
const ARABIC_ARTICLE = /^(?:[وفبك]?ال|لل)(?=.{2})/u;

/**
 * The stem of a lower-case word: removes English inflections, Korean particles and the Arabic article. Other words are
 * unchanged.
 */
export const stemOf = (word: string): string => {
  if (/\p{sc=Hangul}$/u.test(word)) return koreanStem(word);
  if (/^\p{sc=Arabic}/u.test(word)) return word.replace(ARABIC_ARTICLE, "");
  if (!ASCII.test(word)) return word;
  const stem = inflected(plural(word));
  // In "filme" and "write", the final e belongs to the ending: their stems are "film" and "writ".
  return stem.length > 3 && stem.endsWith("e") ? stem.slice(0, -1) : stem;
};
