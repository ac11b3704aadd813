import type { Word } from "../text/words";
import { isNegation } from "./stance";

const YES = new Set("yes true correct yeah yep right affirmative".split(" "));
const NO = new Set("no false incorrect nope wrong negative".split(" "));
/** Words of an answer in which yes or no is looked for. */
const LEAD = 30;

/** true for a bare yes, false for a bare no, undefined for anything else. */
export const bareVerdict = (words: readonly Word[]): boolean | undefined => {
  const [word, ...others] = words;
  if (!word || others.length > 0) return undefined;
  if (YES.has(word.norm)) return true;
  return NO.has(word.norm) ? false : undefined;
};

/** What an answer says to a question that asks for yes or no: by such a word, else by whether it denies. */
export const verdictOf = (words: readonly Word[]): boolean => {
  const lead = words.slice(0, LEAD);
  for (const word of lead) {
    const verdict = bareVerdict([word]);
    if (verdict !== undefined) return verdict;
  }
  return !lead.some(isNegation);
};
