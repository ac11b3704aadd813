import { NUMERAL, type Numeral, readNumeral, toAscii } from "./numerals";
import { stemOf } from "./stem";

/** A word or number in a text. */
export interface Word {
  /** As written in the text. */
  text: string;
  /**
   * The word without differences in compatibility forms, case, diacritics, vowel marks and apostrophes. A number
   * becomes its value.
   */
  norm: string;
  stem: string;
  /** Defined if the word is a number in digits. */
  numeral: Numeral | undefined;
  /** UTF-16 offsets. */
  start: number;
  end: number;
}

const SPACELESS = String.raw`\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}`;
/** A character of such a script, except its digits, which form numbers as in other scripts. */
const SIGN = String.raw`(?!\p{Nd})[${SPACELESS}]`;

/**
 * Matches the start of a number, a character of a script without spaces between words, or letters, digits and marks
 * with apostrophes inside. Superscripts are usually footnote marks ("2014⁹") and not part of a word.
 */
const WORD = new RegExp(
  [
    String.raw`[¼½¾⅐-⅞]|\.(?=\p{Nd})`,
    String.raw`${SIGN}\p{M}*`,
    String.raw`(?:(?!${SIGN})[\p{L}\p{M}\p{Nd}\p{Nl}₀-₉\u00ad\u200c\u200d])+(?:['’ʼ${"`"}](?=\p{L})(?:(?!${SIGN})[\p{L}\p{M}])+)*`,
  ].join("|"),
  "gu",
);
const NUMBER = new RegExp(NUMERAL, "uy");
/** Symbols that belong to the short name before them: "C++", "F#", "A-". */
const NAME_SIGNS =
  /(?:\+\+|＋＋)(?!\p{L})|[+＋#＃♯♭](?![\p{L}\p{N}])|(?<=(?<![\p{L}\p{N}])(?:\p{Lu}\p{L}?\p{Nd}?|AAA|BBB|CCC|\p{Lu}{2,4}\p{Nd}{1,2}))[-‑−](?![\p{L}\p{N}>-])|(?<=(?<![\p{L}\p{N}*])\p{Lu})\*(?![\p{L}\p{N}*])/uy;
const MAX_SIGNED_LENGTH = 12;

const matchAt = (pattern: RegExp, text: string, at: number): string => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
};

/** The whole word or number that starts with `part` at `at`; empty if it is only a full stop. */
const extendWord = (text: string, part: string, at: number): string => {
  // "v2.10" is read as "v" and the version 2.10.
  if (/^[vV]\p{Nd}/u.test(part)) return part.charAt(0);
  if (/^[\p{Nd}.¼½¾⅐-⅞]/u.test(part)) return matchAt(NUMBER, text, at) || (part === "." ? "" : part);
  return part.length <= MAX_SIGNED_LENGTH && /^\p{L}/u.test(part)
    ? part + matchAt(NAME_SIGNS, text, at + part.length)
    : part;
};

const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  ø: "o",
  æ: "ae",
  œ: "oe",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
  ٱ: "ا",
  ى: "ي",
  ی: "ي",
  ة: "ه",
  ک: "ك",
  "♯": "#",
  "‑": "-",
  "−": "-",
};

/** Vowel marks and diacritics of Latin, Hebrew and Arabic. In Indic scripts, such marks are letters. */
const READING_MARKS =
  /[\u0300-\u036f\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u00ad\u200c\u200d]/g;

/** Normalises a word: "beyonce" for "Beyoncé’s" and "BEYONCE", "محمد" for "مُحَمَّد". */
const normaliseWord = (word: string): string => (PLAIN.test(word) ? word.toLowerCase() : normaliseOther(word));

const PLAIN = /^[A-Za-z]+$/;

const normaliseOther = (word: string): string =>
  word
    .normalize("NFKC")
    .toLowerCase()
    .replace(/['’ʼ`]s$/u, "")
    .replace(/['’ʼ`]/gu, "")
    .normalize("NFD")
    .replace(READING_MARKS, "")
    .normalize("NFC")
    .replace(/[ßøæœłđðþıٱىیةک♯‑−]/g, (letter) => LETTERS[letter] ?? letter);

/** Normalises a number: "1000" for "1,000" and "1e3". Words of only digits are unchanged: "007". */
const normaliseNumeral = (text: string, { value, suffix, isPlain }: Numeral): string =>
  isPlain ? toAscii(text) : `${value}${suffix}`;

/** A Turkish name with an ending after an apostrophe: "İstanbul'da". */
const TURKISH_CASE =
  /^(\p{Lu}[\p{L}\p{M}]{2,})['’](?:[dt][ae]n?|n?[ıiuü]n|y?[ıiuüae]|n[ae]|l[ae]r|[dt][ıiuü]r|yl[ae]|l[ıiuü])$/u;

/** A French or Italian word joined to a short article or preposition: "l'Élysée", "n'est", "dell'arte". */
const ELIDED = /^(?:[Ll]|d|n|qu|[Dd]ell|[Nn]ell|[Aa]ll|[Dd]all|[Ss]ull)['’](?=\p{L}{3})/u;

const toWord = (text: string, start: number): Word => {
  const numeral = /^(?:[\p{Nd}.]|[¼½¾⅐-⅞])/u.test(text) ? readNumeral(text) : undefined;
  const norm = numeral ? normaliseNumeral(text, numeral) : normaliseWord(text);
  const name = TURKISH_CASE.exec(text)?.[1] ?? (ELIDED.test(text) ? text.replace(ELIDED, "") : undefined);
  return { text, norm, stem: stemOf(name ? normaliseWord(name) : norm), numeral, start, end: start + text.length };
};

/** Maximum length of a word with a footnote number attached: "drunk1". */
const MAX_LENGTH_WITH_NOTE = 40;
const WITH_NOTE = /^(\p{Ll}*\p{L}\p{Ll}{2,})(\p{Nd}{1,2})$/u;

const INITIAL = /^\p{Lu}$/u;
/** Maximum number of initials that are joined. */
const MAX_INITIALS = 10;
const BETWEEN_INITIALS = /^\.\s{0,2}$/;

/** Joins consecutive initials to one word: "pv" for "P. V." and "P.V.". */
const joinInitials = (words: readonly Word[], source: string): Word[] => {
  const joined: Word[] = [];
  let isOpen = false;
  for (const word of words) {
    const last = joined.at(-1);
    const isInitial = INITIAL.test(word.text);
    if (
      last &&
      isOpen &&
      isInitial &&
      last.norm.length < MAX_INITIALS &&
      BETWEEN_INITIALS.test(source.slice(last.end, word.start))
    ) {
      joined[joined.length - 1] = {
        ...toWord(source.slice(last.start, word.end), last.start),
        norm: last.norm + word.norm,
        stem: last.norm + word.norm,
      };
    } else joined.push(word);
    isOpen = isInitial;
  }
  return joined;
};

/** The words of a text in any script, in order. Takes linear time. */
export const readWords = (text: string): Word[] => {
  const words: Word[] = [];
  for (let from = 0; ; ) {
    WORD.lastIndex = from;
    const match = WORD.exec(text);
    if (!match) break;
    const found = extendWord(text, match[0], match.index);
    from = match.index + Math.max(1, found.length);
    if (found === "") continue;
    const note = found.length <= MAX_LENGTH_WITH_NOTE ? WITH_NOTE.exec(found) : null;
    words.push(toWord(note?.[1] ?? found, match.index));
  }
  return joinInitials(words, text);
};

export const isStopWord = ({ norm }: Word): boolean => STOP_WORDS.has(norm);

/** The words without stop words; all words if only stop words are left ("The Who"). */
export const contentWords = (words: readonly Word[]): Word[] => {
  const content = words.filter((word) => !isStopWord(word));
  return content.length > 0 ? content : [...words];
};

const ONE_SPACELESS = new RegExp(`^${SIGN}\\p{M}*$`, "u");

/** Whether a word is one character of a script without spaces between words. */
export const isSpaceless = ({ text }: Word): boolean => ONE_SPACELESS.test(text);

/** Whether a word starts with a capital letter or is a number. */
export const isNameLike = ({ text }: Word): boolean => /^[\p{Lu}\p{Lt}\p{Nd}]/u.test(text);

/** The words of a list that are separated by spaces or line breaks. */
export const wordSet = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));

/** A map from each word of the lists to its list's value. */
export const wordMap = <T>(lists: readonly (readonly [words: string, value: T])[]): ReadonlyMap<string, T> =>
  new Map(lists.flatMap(([words, value]) => [...wordSet(words)].map((word) => [word, value] as const)));

/** English stop words, as `normaliseWord` returns them. Negations are not included. */
export const STOP_WORDS = wordSet(`
  a an the this that these those there here it its he she him her his hers they them their theirs we us our ours you your
  yours i me my mine who whom whose which what when where why how and or but if so as than then of in on at by for with
  from to into onto over under about above below between through during before after up down out off is am are was were be
  been being do does did doing done have has had having can could may might must shall should will would also just only
  very too such some any each both either all most more many much other another own same one s t d ll re ve m
`);

export const ARTICLES = wordSet("a an the");
