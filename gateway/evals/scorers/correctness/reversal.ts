import { STOP_WORDS } from "../text/stop-words";
import { contentWords } from "../text/words";
import { type ReadText, sentenceOf } from "./answer";
import { keyOf } from "./key";
import type { Match } from "./match";
import { isNegation } from "./stance";

/** Words from which on a reference is a statement, and the share of them that a sentence has to have to speak of it. */
const FEWEST_WORDS = 5;
const SHARE = 0.6;

/** Whether the sentence that says most of a longer reference denies what the reference affirms, or the other way round. */
export const isReversed = (answer: ReadText, question: ReadText, match: Match | undefined): boolean => {
  if (!match || question.words.some(isNegation)) return false;
  const { words } = match.alias;
  const wanted = new Set(
    contentWords(words)
      .filter((word) => !isNegation(word))
      .map(keyOf),
  );
  if (wanted.size < FEWEST_WORDS) return false;
  const found = new Map<number, Set<string>>();
  const denying = new Set<number>();
  answer.words.forEach((word, at) => {
    const sentence = sentenceOf(answer, at);
    if (isNegation(word)) denying.add(sentence);
    const key = answer.keys[at] ?? "";
    if (STOP_WORDS.has(word.norm) || !wanted.has(key)) return;
    const keys = found.get(sentence) ?? new Set();
    found.set(sentence, keys.add(key));
  });
  const [best] = [...found].sort(([, a], [, b]) => b.size - a.size);
  if (!best || best[1].size < SHARE * wanted.size) return false;
  return denying.has(best[0]) !== words.some(isNegation);
};
