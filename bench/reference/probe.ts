import type { LabelledFile, LabelledRow } from "../../gateway/evals/agreement/labelled-file";
import { readSentences } from "../../gateway/evals/scorers/text/sentences";
import { isNameLike, isStopWord, readWords, type Word } from "../../gateway/evals/scorers/text/words";
import { createRandom } from "../../gateway/evals/statistics/random";

/*
 * A generated probe: answers of sentences copied from a context of the labelled files. Half of the answers have one small
 * change that makes them false. It tests scorers on mostly copied summaries, which are rare in the labelled data. No model
 * is fitted to it.
 */

type LabelledAnswer = Extract<LabelledRow, { task: "faithfulness" }>;
type Random = ReturnType<typeof createRandom>;

const pick = <T>(items: readonly T[], random: Random): T | undefined =>
  items[random.nextBelow(Math.max(1, items.length))];

const replaced = (text: string, { start, end }: Pick<Word, "start" | "end">, by: string): string =>
  text.slice(0, start) + by + text.slice(end);

/** Makes a sentence false; undefined if it has nothing to change. */
type Change = (sentence: string, others: readonly string[], random: Random) => string | undefined;

const AUXILIARY = /\b(?:is|are|was|were|has|have|had|will|would|can|could|should|did|does)\b(?! not\b|n't)/;

const negate: Change = (sentence) => {
  if (/ not\b|n['’]t\b/.test(sentence)) return sentence.replace(/ not\b|n['’]t\b/, "");
  return AUXILIARY.test(sentence) ? sentence.replace(AUXILIARY, "$& not") : undefined;
};

/** Replaces a word with another word of the same kind from the text. */
const swap =
  (isOfKind: (word: Word, at: number) => boolean): Change =>
  (sentence, others, random) => {
    const word = pick(readWords(sentence).filter(isOfKind), random);
    const instead = others
      .flatMap((other) => readWords(other).filter(isOfKind))
      .filter(({ norm }) => norm !== word?.norm);
    const other = pick(instead, random);
    return word && other && replaced(sentence, word, other.text);
  };

const isNumber = ({ text }: Word): boolean => /^\p{Nd}/u.test(text);
const swapName = swap((word, at) => at > 0 && isNameLike(word) && !isNumber(word) && !isStopWord(word));
const swapNumber = swap(isNumber);

/** The beginning of a sentence with the end of another. */
const splice: Change = (sentence, others, random) => {
  const other = pick(others, random);
  const [words, behind] = [readWords(sentence), readWords(other ?? "")];
  const [cut, from] = [words[Math.floor(words.length / 2)], behind[Math.floor(behind.length / 2)]];
  return other && cut && from && sentence.slice(0, cut.start) + other.slice(from.start);
};

const CHANGES: readonly Change[] = [negate, swapName, swapNumber, splice];

/** Parts that a summary can omit and stay true: an opening word, a remark, the speaker, the day, a last clause. */
const OMITTED = [
  /^(?:But|And|However|So|Still|Meanwhile),? /u,
  / \([^)]*\)/,
  / (?:also|just|really|very|even|already|now|still|about|more than|that)(?= )/,
  / on (?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b/,
  /,? (?:he|she|they|[A-Z]\p{L}+) (?:said|told|added|wrote)\b[^.,"]*(?=\.$)/u,
  /, (?:which|who|where|while|after|according|as|saying|including|with)\b[^.]*(?=\.$)/,
];

const shorten = (sentence: string, random: Random): string => {
  const short = OMITTED.reduce((text, part) => (random.nextBelow(4) > 0 ? text.replace(part, "") : text), sentence);
  return short.charAt(0).toUpperCase() + short.slice(1);
};

const ANSWERS_PER_TEXT = 12;
const FEWEST_WORDS = 8;

const answersOf = (context: string, group: string, random: Random): LabelledAnswer[] => {
  const sentences = readSentences(context)
    .map(({ text }) => text)
    .filter((text) => /[.!?]$/.test(text) && readWords(text).length >= FEWEST_WORDS);
  if (sentences.length < 6) return [];
  return Array.from({ length: ANSWERS_PER_TEXT }, (_, at): LabelledAnswer | undefined => {
    const from = random.nextBelow(sentences.length - 3);
    const copied = sentences.slice(from, from + 1 + random.nextBelow(3));
    const kept = copied.map((sentence) => shorten(sentence, random));
    const place = random.nextBelow(kept.length);
    const others = sentences.filter((sentence) => sentence !== copied[place]);
    const label = at % 2 === 0 ? 1 : 0;
    const first = Math.floor(at / 2) % CHANGES.length;
    const changes = [...CHANGES.slice(first), ...CHANGES.slice(0, first)].map((change) =>
      change(kept[place] ?? "", others, random),
    );
    const changed = label === 1 ? kept[place] : changes.find((sentence) => sentence !== undefined);
    if (changed === undefined || (label === 0 && changed === kept[place])) return undefined;
    const answer = kept.map((sentence, index) => (index === place ? changed : sentence)).join(" ");
    return { id: `${group}-${at}`, group, task: "faithfulness", question: null, context, answer, label };
  }).filter((row) => row !== undefined);
};

/** The probe's answers, by every plain text of at least a few hundred words; the same for the same files. */
export const probeOf = (files: readonly LabelledFile[]): LabelledFile => {
  const texts = new Map<string, string>();
  for (const { rows } of files) {
    for (const row of rows) {
      if (row.task === "faithfulness" && row.question === null && !/^\s*[[{]/.test(row.context) && row.spans)
        texts.set(row.context, row.group);
    }
  }
  const random = createRandom(1);
  const rows = [...texts].flatMap(([context, group]) => answersOf(context, group, random));
  return { name: "probe of copied sentences", task: "faithfulness", rows };
};
