import { isDenial } from "../text/negation";
import { bareAnswerOf, NO, YES } from "../text/refusal";
import type { Word } from "../text/words";

/** A reference "Right" or "Negative" usually means a side or a sign, not a verdict. */
const AMBIGUOUS = new Set(["right", "wrong", "affirmative", "negative"]);
/** "The correct answer is no." */
const ANSWERS = new Set(["answer", "response", "choice", "option", "statement"]);
/** Words of an answer in which yes or no is looked for. */
const LEAD = 30;

const verdictIn = ({ norm }: Word): boolean | undefined => (YES.has(norm) ? true : NO.has(norm) ? false : undefined);

/** true for a bare yes, false for a bare no, undefined for anything else. */
export const bareVerdict = (words: readonly Word[]): boolean | undefined => {
  const [word] = words;
  return word && words.length === 1 && !AMBIGUOUS.has(word.norm) ? verdictIn(word) : undefined;
};

/** What an answer says to a question that asks for yes or no: by such a word, else by whether it denies. */
export const verdictOf = (words: readonly Word[]): boolean => {
  const lead = words.slice(0, LEAD);
  const stance = words.length < LEAD ? bareAnswerOf(lead.map(({ text }) => text).join(" ")) : undefined;
  if (stance === "yes" || stance === "no") return stance === "yes";
  for (const [at, word] of lead.entries()) {
    const verdict = ANSWERS.has(lead[at + 1]?.norm ?? "") ? undefined : verdictIn(word);
    if (verdict !== undefined) return verdict;
  }
  return !lead.some(isDenial);
};
