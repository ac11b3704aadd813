import { ownValue } from "../../../../lib/own-value";
import { readSpelled } from "./number-words";
import { stemOf } from "./stem";
import { readWords, type Word, wordMap, wordSet } from "./words";

/*
 * Words that negate or reverse a statement, normalized by `normaliseWord`: "don't" is "dont". The models were fitted
 * with these sets: refit them after adding or removing a word.
 */

const list = (words: string): readonly string[] => words.trim().split(/\s+/);

const AUXILIARIES = list("could do does did is are was were would has have had should must might need ought dare");
/** Negated auxiliaries written as one word: "mustnt" is "must" and "not". */
const CONTRACTIONS: ReadonlyMap<string, string> = new Map([
  ...AUXILIARIES.map((auxiliary): [string, string] => [`${auxiliary}nt`, auxiliary]),
  ["cannot", "can"],
  ["cant", "can"],
  ["wont", "will"],
  ["shant", "shall"],
  ["aint", "is"],
]);

/** The words of a text, with a negated auxiliary split: "can't", "cannot" and "can not" are all "can" and "not". */
export const readSplitWords = (text: string): Word[] =>
  readWords(text).flatMap((word) => {
    const auxiliary = CONTRACTIONS.get(word.norm);
    if (!auxiliary) return [word];
    const middle = word.start + Math.min(auxiliary.length, word.text.length - 2);
    const first = {
      ...word,
      text: word.text.slice(0, middle - word.start),
      norm: auxiliary,
      stem: stemOf(auxiliary),
      end: middle,
    };
    return [first, { ...word, text: word.text.slice(middle - word.start), norm: "not", stem: "not", start: middle }];
  });

const NEGATIONS = new Set([...wordSet("not no never neither nor without nt"), ...CONTRACTIONS.keys()]);

/** Whether a word negates the next word: "not", "never", "without". */
export const isNegation = ({ norm }: Word): boolean => NEGATIONS.has(norm);

const DENIALS = new Set([
  ...NEGATIONS,
  ...wordSet("incorrect incorrectly wrong wrongly false falsely mistakenly mistaken myth unlike except excluding"),
]);

/**
 * Whether a word denies the words next to it: it is a negation, a correction such as "wrong" or "myth", or an
 * exception.
 */
export const isDenial = ({ norm }: Word): boolean => DENIALS.has(norm);

/** More denials: English words, and the most common negations in other languages. */
const MORE_DENIALS = wordSet(`
    hardly barely nobody none nothing nowhere nobodys unable fails failed lack lacks refuses refused
    nicht kein keine keinen keiner keinem nie niemals pas jamais aucun aucune non nunca jamas nao niet geen nooit inte ikke nie не нет никогда degil
    不 没 沒 لا ليس ليست لم لن לא אין नहीं
  `);
const KOREAN_DENIAL = /않|없|아니/u;

/** Like `isDenial`, with more words and other languages. */
export const isDenialInAnyLanguage = (word: Word): boolean =>
  isDenial(word) || MORE_DENIALS.has(word.norm) || KOREAN_DENIAL.test(word.norm);

/** Negations in the languages listed in docs/reference-evaluator.md, before, after or inside the negated word. */
const NEGATIONS_ELSEWHERE = new RegExp(
  [
    String.raw`(?<![\p{L}\p{M}'’])(?:nicht|kein(?:e[mnrs]?|esfalls|eswegs)?|niemals|nie|pas|jamais|aucune?|non|nunca|jam[aá]s|n[aã]o|niet|geen|nooit|inte|ikke|не|нет|никогда|değil)(?![\p{L}\p{M}'’]|\s?[-‑])`,
    String.raw`(?<![\p{L}\p{M}])(?:ليست?|غير|لا|لم|لن|לא|אין|नहीं|안|못)(?![\p{L}\p{M}])|않|아니|없`,
    "(?<!かもしれ|なら|なり|いけ)(?:ません|ない|なかった)|不(?![仅但过同断少久错])|[没沒](?![收落])|未(?![来來])",
  ].join("|"),
  "giu",
);

/** Whether punctuation between two words ends a clause. */
const endsClause = (text: string, from: Word, to: Word): boolean =>
  /[,;:()，、；：،]/u.test(text.slice(Math.min(from.end, to.end), Math.max(from.start, to.start)));

const isKana = ({ text }: Word): boolean => /^\p{sc=Hiragana}+$/u.test(text);

/** Whether "non" is a prefix: in "non-refundable", but not in "fans and non-fans". */
const isPrefix = (text: string, words: readonly Word[], word: Word): boolean => {
  if (word.norm !== "non" || !/[-‑]/.test(text.charAt(word.end))) return false;
  const negated = words[words.indexOf(word) + 1];
  return words.filter(({ stem }) => stem === negated?.stem).length === 1;
};

const PREFIXES = list("un in im il ir dis non не");
/** Words that start like a prefix that negates nothing: "inform", "unless". */
const NO_PREFIX =
  /^(?:un(?:less|til|ion)|in(?:form|come|put|side|vest|vent|tend|sure|sight|stall|crease|deed)|im(?:port|press|prov|pose|pact)|dis(?:play|cover|count|charg|cuss|patch|pose))/;
const PREFIX = new RegExp(`^(?:${PREFIXES.join("|")})(?=\\p{L}{4})`, "u");

/** The word that a prefix negates: "safe" for "unsafe". Words without such a prefix are unchanged. */
export const withoutPrefix = (word: string): string => (NO_PREFIX.test(word) ? word : word.replace(PREFIX, ""));
/** The forms that may negate a word: "unsafe", "insafe" and so on for "safe". */
export const prefixedForms = (word: string): string[] => PREFIXES.map((prefix) => prefix + word);

/** Words after which a negation denies nothing: "not only". */
const ADDING = new Set(["only", "just", "merely", "nur", "solo", "seulement"]);

/**
 * The negations in a text, with the content words they negate: in English the next one, in other languages those on
 * both sides.
 */
export const negatedWords = (text: string, words: readonly Word[], isLight: (word: Word) => boolean) => {
  const spans = [...text.matchAll(NEGATIONS_ELSEWHERE)].map(
    ({ index, 0: { length } }) => [index, index + length] as const,
  );
  const negations = new Set(
    words.filter(
      (word, at) =>
        !ADDING.has(words[at + 1]?.norm ?? "") &&
        words[at + 2]?.norm !== "than" &&
        (isNegation(word) ||
          isPrefix(text, words, word) ||
          spans.some(([start, end]) => start < word.end && word.start < end)),
    ),
  );
  const content = words.filter((word) => !isLight(word) && !negations.has(word));
  const negated = new Set<Word>();
  for (const word of negations) {
    const next = content.find(({ start }) => start > word.start);
    if (isNegation(word) || isPrefix(text, words, word)) {
      if (next) negated.add(next);
      continue;
    }
    const last = content.findLast((other) => other.start < word.start && !isKana(other));
    for (const other of [last, next]) if (other && !endsClause(text, word, other)) negated.add(other);
  }
  return { content, negations, negated };
};

const ABSENCES = new Set([...NEGATIONS, ...wordSet("none lack lacks lacking unavailable")]);

/** Whether a word says that a property is absent: "no garage", "lacks parking", "unavailable". */
export const isAbsence = ({ norm }: Word): boolean => ABSENCES.has(norm);

/** Words that soften a denial: "not only", "not until". */
const SOFTENERS = new Set(["only", "just", "merely", "least", "until", "before", "more", "less", "fewer"]);
/** Maximum number of words between a denial and the denied words: before them, and after them. */
const MAX_BEFORE = 4;
const MAX_AFTER = 3;
/** Words after which a denial is corrected: "not Paris but Lyon". */
const TURNS = wordSet("but sondern mais sino ma maar");
const VERBS = wordSet("is was are were did does do has have had be been");

/** Negations directly before a name, and after it, in other languages: "不是北京", "東京ではない". */
const DENIED_AHEAD =
  /(?:不是|不在|[并並而绝絕]非|ไม่ใช่|(?<!\p{L})(?:không phải(?: là)?|bukan|όχι|δεν είναι))\s?["“「『《]?$/iu;
const DENIED_BEHIND =
  /^["”」』》]?(?:(?:は[^。、,]{0,10})?(?:では|じゃ)(?:なく|(?:ない|ありません)(?!で?しょ?うか|か))|不是|\s?아(?:니|닙)|\s(?:değil|नहीं|নয়|அல்ல|نیست|نہیں))/iu;
/** Negations that belong to the word before them. */
const POSTPOSED = new Set(["degil", "नहीं"]);

const isPair = (first: Word | undefined, second: Word | undefined): boolean =>
  (first?.norm === "rather" && second?.norm === "than") ||
  (first?.norm === "instead" && second?.norm === "of") ||
  (first?.norm === "contrary" && second?.norm === "to");

const isDeniedElsewhere = (text: string, start: number, end: number): boolean =>
  DENIED_AHEAD.test(text.slice(Math.max(0, start - 16), start)) || DENIED_BEHIND.test(text.slice(end, end + 24));

/** Whether the `length` words at `at` are denied: "not X", "X is not", "instead of X". */
export const isDenied = (words: readonly Word[], at: number, length: number, text: string): boolean => {
  if (isDeniedElsewhere(text, words[at]?.start ?? 0, words[at + length - 1]?.end ?? 0)) return true;
  for (let i = at - 1; i >= Math.max(0, at - MAX_BEFORE); i--) {
    const [word, next] = [words[i], words[i + 1]];
    if (!word || !next || /[.;:!?,]/.test(text.slice(word.end, next.start)) || TURNS.has(word.norm)) break;
    if (isPair(word, next) && i + 1 < at) return true;
    if (i === at - 1 && MORE_DENIALS.has(word.norm) && !POSTPOSED.has(word.norm)) return true;
    if (isDenial(word) && !SOFTENERS.has(next.norm) && !isLimit(words, i)) return true;
  }
  const end = at + length;
  const next = words[end];
  if (!next || !(VERBS.has(next.norm) || isDenial(next))) return false;
  for (let i = end; i < Math.min(words.length, end + MAX_AFTER); i++) {
    const [before, word] = [words[i - 1], words[i]];
    if (!before || !word || /[.;:!?,]/.test(text.slice(before.end, word.start))) return false;
    if (isDenial(word) && word.norm !== "no" && !SOFTENERS.has(words[i + 1]?.norm ?? "")) return true;
  }
  return false;
};

/** Pairs of English opposites. A bar separates the two sides. */
const OPPOSITES = `
  allowed allow allows permitted permit legal lawful|forbidden forbid prohibited prohibits banned illegal disallowed unlawful
  safe harmless|dangerous hazardous harmful unsafe; increase increases increased rise rises rose grow grew|decrease decreases decreased fall falls fell decline declined drop dropped reduce reduced
  higher more greater larger|lower less fewer smaller; before|after; above|below; present|absent; inside|outside; older|younger
  accepted accept approved approve approves confirmed|rejected reject rejects denied
  passed pass passes succeeded succeeds|failed fails; open opened opens|closed shut closes; alive|dead; won win wins|lost lose loses; guilty|innocent
  enabled enable enables|disabled disable disables; required mandatory compulsory necessary needed need needs|optional voluntary unnecessary
  erlaubt gestattet|verboten untersagt; permitido|prohibido; permis autorise|interdit; geoffnet offen|geschlossen; abierto|cerrado; ouvert|ferme
  hot|cold; early|late; positive|negative; included covered cover covers include includes|excluded exclude excludes; agree agreed agrees|disagree disagreed disagrees
  true correct|false untrue incorrect wrong; likes liked loves loved|dislikes disliked hates hated; high|low; best|worst; maximum|minimum
  easy|difficult; strong|weak; fast|slow; cheap|expensive; majority|minority; north northern|south southern; visible|hidden; public|private
  started starts began begins|ended ends stopped stops; bought buys|sold sells; stronger|weaker; faster|slower; better|worse
`;

/** The number of each word's pair, negative for the second side. Keys are as `normaliseWord` returns them. */
export const SIDE_OF = wordMap(
  OPPOSITES.trim()
    .split(/[;\n]/)
    .flatMap((pair, index) => pair.split("|").map((side, place) => [side, (index + 1) * (place === 0 ? 1 : -1)])),
);

const PARTICLES: Readonly<Record<string, number>> = { on: 900, off: -900, up: 901, down: -901 };

/**
 * The side of a pair that a word is on. "on", "off", "up" and "down" only count at the end of a clause: "The light is
 * off."
 */
export const sideOf = (words: readonly Word[], at: number): number | undefined => {
  const [word, next] = [words[at], words[at + 1]];
  if (!word) return undefined;
  const isLast = !next || next.start > word.end + 1;
  return SIDE_OF.get(word.norm) ?? (isLast ? ownValue(PARTICLES, word.norm) : undefined);
};

/* "No older than 21": a negation and a comparative that limit a value and deny nothing. */

export const MORE =
  "more|longer|later|older|taller|heavier|higher|greater|larger|bigger|farther|further|faster|hotter|warmer|wider|deeper";
export const LESS =
  "less|fewer|shorter|earlier|sooner|younger|lighter|lower|smaller|nearer|closer|slower|colder|cooler|narrower";

const COMPARATIVES = new Set(`${MORE}|${LESS}`.split("|"));
/** These only limit a time, in digits or not: "no later than the day before". */
const OF_TIME = new Set(["later", "earlier", "sooner"]);

const isValue = (words: readonly Word[], at: number): boolean => {
  const word = words[at];
  return (
    word !== undefined &&
    (word.numeral !== undefined ||
      readSpelled(words, at) !== undefined ||
      /^(?:an?|half|[$€£]\p{Nd}.*)$/u.test(word.norm))
  );
};

/** Whether the negation at `at` limits a value: "no older than 21", "not be older than 21", "not exceed 21". */
export const isLimit = (words: readonly Word[], at: number): boolean => {
  for (let step = at + 1; step <= at + 2; step++) {
    const norm = words[step]?.norm ?? "";
    if (/^exceed(?:ing)?$/.test(norm)) return isValue(words, step + 1);
    if (COMPARATIVES.has(norm) && words[step + 1]?.norm === "than")
      return OF_TIME.has(norm) || isValue(words, step + 2);
  }
  return false;
};
