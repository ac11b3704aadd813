import { isDenial, isDenialInAnyLanguage, isLimit, sideOf, withoutPrefix } from "../text/negation";
import { ARTICLES, isNameLike, STOP_WORDS, type Word, wordSet } from "../text/words";
import type { Alias } from "./aliases";
import { type ReadText, sentenceOf } from "./read-text";
import { keyOf } from "./word-forms";

/** A sentence is about the same thing as a reference if it contains this fraction of its words. */
const MIN_COMMON_FRACTION = 0.6;
/** A reference with at least this many words is a statement, even without one of `VERBS`. */
const MIN_STATEMENT_WORDS = 5;

const VERBS = wordSet(
  "is are was were be been am can could may might must shall should will would has have had do does did gets got",
);
/** Whether a word is a negation. In a pair of opposites, the side that the reference uses (`sides`) is not. */
const isDenying = (words: readonly Word[], at: number, sides: ReadonlySet<number>): boolean => {
  const word = words[at];
  const side = sideOf(words, at);
  if (!word || (side !== undefined && (sides.has(side) || sides.has(-side)))) return false;
  if (/^(?:not|nicht|nur)$/.test(word.norm) && /^(?:only|just|merely|nur)$/.test(words[at + 1]?.norm ?? ""))
    return false;
  return isDenialInAnyLanguage(word) && !isLimit(words, at);
};

/** Words that a negation replaces. */
const LIGHT = wordSet("always ever yes really indeed");
const TURNS = wordSet("but and while whereas although though however because than");

/** The clause number of each word. */
const clausesOf = (words: readonly Word[], text: string): number[] => {
  let clause = 0;
  return words.map((word, at) => {
    const before = words[at - 1];
    const isNext = before && (/[,;:.!?—–()\n]/.test(text.slice(before.end, word.start)) || TURNS.has(word.norm));
    if (isNext) clause++;
    return clause;
  });
};

/** How a sequence of words compares with a reference. */
interface SentenceReading {
  /** The reference words that were found. An opposite of one counts as `|side|`. */
  found: ReadonlySet<string>;
  isDenied: boolean;
}

interface Wanted {
  keys: ReadonlySet<string>;
  /** Sides of the opposites among the reference's words. */
  sides: ReadonlySet<number>;
  /** Words after "than", which the answer may put before it: "Bob is older than Alice". */
  compared: ReadonlySet<string>;
}

const wantedOf = (words: readonly Word[]): Wanted => {
  const sides = new Set(words.flatMap((_, at) => sideOf(words, at) ?? []));
  const keys = words.filter(
    ({ norm }, at) =>
      !isDenying(words, at, sides) && !STOP_WORDS.has(norm) && sideOf(words, at) === undefined && !LIGHT.has(norm),
  );
  const than = words.findIndex(({ norm }) => norm === "than");
  const compared = than < 0 ? [] : keys.filter(({ start }) => start > (words[than]?.start ?? 0));
  return { keys: new Set(keys.map(keyOf)), sides, compared: new Set(compared.map(keyOf)) };
};

const sideName = (side: number): string => `±${Math.abs(side)}`;

/** The reference word that a word matches, and whether the word reverses it; undefined if it matches none. */
const roleOf = (
  words: readonly Word[],
  at: number,
  { keys, sides }: Wanted,
): { name: string; isTurned: boolean } | undefined => {
  const word = words[at];
  if (!word) return undefined;
  const key = keyOf(word);
  if (keys.has(key)) return { name: key, isTurned: false };
  const side = sideOf(words, at);
  if (side !== undefined && sides.has(side)) return { name: sideName(side), isTurned: false };
  if (side !== undefined && sides.has(-side)) return { name: sideName(side), isTurned: true };
  const bare = withoutPrefix(key);
  if (bare !== key && keys.has(bare)) return { name: bare, isTurned: true };
  const longer = [...keys].find((wanted) => withoutPrefix(wanted) === key && wanted !== key);
  return longer === undefined ? undefined : { name: longer, isTurned: true };
};

/**
 * Compares the words of one sentence with a reference. If `isName`, only a negation between the reference's words
 * counts.
 */
const readSentence = (text: string, words: readonly Word[], wanted: Wanted, isName: boolean): SentenceReading => {
  const clauses = clausesOf(words, text);
  const turned = new Map<string, boolean>();
  const speaking = new Set<number>();
  let [first, last] = [Number.POSITIVE_INFINITY, -1];
  for (const at of words.keys()) {
    const role = roleOf(words, at, wanted);
    if (!role) continue;
    turned.set(role.name, (turned.get(role.name) ?? true) && role.isTurned);
    speaking.add(clauses[at] ?? 0);
    [first, last] = [Math.min(first, at), at];
  }
  const denials = words.filter(
    (_, at) =>
      isDenying(words, at, wanted.sides) && speaking.has(clauses[at] ?? 0) && (!isName || (at > first && at < last)),
  ).length;
  const than = words.findIndex(({ norm }) => norm === "than");
  const isBehind = (key: string) => words.some((word, at) => at > than && keyOf(word) === key);
  const isSwapped = than >= 0 && wanted.compared.size > 0 && ![...wanted.compared].some(isBehind);
  const turns = [...turned.values()].filter(Boolean).length + Number(isSwapped);
  return { found: new Set(turned.keys()), isDenied: (denials + turns) % 2 === 1 };
};

/**
 * Compares a reference with the answer's sentence that shares the most words with it. `reversed`: one denies what the
 * other affirms. `restated`: both say the same in different words, "prohibited" for "not allowed".
 */
export const compareStatement = (
  answer: ReadText,
  question: ReadText,
  { words, text }: Pick<Alias, "words" | "text">,
): "reversed" | "restated" | undefined => {
  const wanted = wantedOf(words);
  const size = wanted.keys.size + wanted.sides.size;
  const hasDenial = words.some((_, at) => isDenying(words, at, wanted.sides));
  const isSentence = /^\p{Lu}.*[.!。]\s*$/su.test(text) && size > 1;
  const isStatement =
    size >= MIN_STATEMENT_WORDS ||
    hasDenial ||
    isSentence ||
    wanted.sides.size > 0 ||
    words.some(({ norm }) => VERBS.has(norm));
  if (size === 0 || (size === 1 && !hasDenial)) return undefined;
  // "Which animal does not lay eggs?" asks for a denial.
  if (question.words.some(isDenial) && !isSentence && !words.some(({ norm }) => VERBS.has(norm))) return undefined;
  const expected = readSentence(text, words, wanted, false);
  const sentences = Map.groupBy(answer.words, (_, at) => sentenceOf(answer, at));
  const readings = [...sentences.values()].map((sentence) => readSentence(answer.text, sentence, wanted, !isStatement));
  const [best] = readings.sort((a, b) => b.found.size - a.found.size);
  if (!best || best.found.size < MIN_COMMON_FRACTION * size) return undefined;
  if (best.isDenied !== expected.isDenied) return "reversed";
  return best.found.size === size && (wanted.sides.size > 0 || hasDenial) ? "restated" : undefined;
};

const AUXILIARY =
  /(?:^|[.:!?\n]\s*)(?:is|are|was|were|am|do|does|did|can|could|will|would|shall|should|may|might|must|has|have|had|ist|sind|war|darf|dürfen|kann|können|muss|hat|gibt|está|están|est|sont)\b|true or false\W/iu;
const PREPOSITIONS = wordSet("on in at for by with to of from during after before under over");
const SUBJECTS = wordSet("it he she they there this that these those il elle ils elles ce vous cest");
/** "Est-ce que", "est-il", "y a-t-il", "peut-on". */
const FRENCH = /(?:^|[.:!?\n]\s*)est-ce qu(?:e\s|['’])|\p{L}(?:-t)?-(?:ils?|elles?|on|ce|je|tu|vous|nous)(?!\p{L})/iu;
/** French words that carry no meaning in a yes-or-no question, normalized by `normaliseWord`. */
const FRENCH_LIGHT = wordSet(`
  le la les l un une des du de d ce cet cette ces est sont il elle ils elles on vous tu je nous y a t ont que qu ne n nest na ny
  cest peut peux puis peuvent pouvez
`);

/** What a question asks: its words after the auxiliary; undefined if it isn't a yes-or-no question. */
const askedWords = ({ text, words }: ReadText): readonly Word[] | undefined => {
  if (FRENCH.test(text)) return words.filter(({ norm }) => !FRENCH_LIGHT.has(norm));
  const opening = AUXILIARY.exec(text);
  return opening ? words.filter(({ start }) => start >= opening.index + opening[0].length) : undefined;
};

/** Whether a sentence has no other content words than a question. */
const saysOnly = (sentence: readonly Word[], wanted: Wanted, isFrench: boolean): boolean =>
  sentence.every(
    (word, at) =>
      roleOf(sentence, at, wanted) ||
      STOP_WORDS.has(word.norm) ||
      isDenialInAnyLanguage(word) ||
      (isFrench && FRENCH_LIGHT.has(word.norm)),
  );

/** The answer to a yes-or-no question that a reference gives by only repeating what is asked; undefined for any other. */
export const verdictOfStatement = (reference: ReadText, question: ReadText): boolean | undefined => {
  // "Was it in 1990 or in 1991?"
  const asked = /\s(?:or|ou|oder|o)\s/iu.test(question.text) ? undefined : askedWords(question);
  return asked && saysOnly(reference.words, wantedOf(asked), FRENCH.test(question.text))
    ? compareWithQuestion(reference, question)
    : undefined;
};

/**
 * The yes or no that a statement gives by repeating the question: yes for "It is free on Sundays.", no for "The museum
 * is not free on Sundays." A pronoun may replace the subject. Undefined for any other statement.
 */
export const compareWithQuestion = (answer: ReadText, question: ReadText): boolean | undefined => {
  const words = askedWords(question);
  if (!words || words.some(isDenialInAnyLanguage)) return undefined;
  const wanted = wantedOf(words);
  const asked = words.flatMap((word, at) => {
    const role = roleOf(words, at, wanted);
    const isAdjunct = PREPOSITIONS.has(words[at - 1]?.norm ?? "") || ARTICLES.has(words[at - 1]?.norm ?? "");
    return role ? [{ name: role.name, isName: isNameLike(word), isAdjunct }] : [];
  });
  for (const sentence of Map.groupBy(answer.words, (_, at) => sentenceOf(answer, at)).values()) {
    const { found, isDenied } = readSentence(answer.text, sentence, wanted, false);
    const isFound = ({ name }: { name: string }) => found.has(name);
    const [first, last] = [asked.findIndex(isFound), asked.findLastIndex(isFound)];
    const isSubject = first === 1 || asked.slice(0, first).every(({ isName }) => isName);
    // "It is free." without the "on Sundays" of the question, if nothing else is said.
    const addsNothing = saysOnly(sentence, wanted, FRENCH.test(question.text));
    const hasPronoun = sentence.some(({ norm }) => SUBJECTS.has(norm));
    const mayStart = first === 0 || (isSubject && (addsNothing || hasPronoun));
    const mayEnd = last === asked.length - 1 || (asked[last + 1]?.isAdjunct === true && addsNothing);
    // "You can't return it."
    const missing = asked.slice(first, last).filter((word) => !isFound(word)).length;
    if (first >= 0 && mayStart && mayEnd && missing <= Number(first === 0 && hasPronoun)) return !isDenied;
  }
  return undefined;
};
