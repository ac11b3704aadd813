import { STOP_WORDS, type Word } from "../text/words";

const CAPITALS = /^[\p{Lu}\p{Nd}]{3,8}$/u;
/** Words of the longest name whose initials are looked at. */
const MAX_WORDS = 10;

/** "NASA", "F.B.I.": three capitals or more. */
const isAcronym = ({ text }: Word): boolean => CAPITALS.test(text.replace(/[.\s]/g, ""));

const initials = (words: readonly Word[]): string => words.map(({ norm }) => norm.charAt(0)).join("");

/** The initials of a name, with and without its small words; none for less than three. */
const acronymsOf = (words: readonly Word[]): string[] => {
  if (words.length > MAX_WORDS || !words.some(({ text }) => /^\p{Lu}/u.test(text))) return [];
  const large = words.filter(({ norm }) => !STOP_WORDS.has(norm));
  return [initials(words), initials(large)].filter((letters) => letters.length >= 3);
};

/** Where the answer has the initials of a name, or the name whose initials it is; undefined: nowhere. */
export const acronymPlace = (
  answer: readonly Word[],
  name: readonly Word[],
): { at: number; length: number } | undefined => {
  const letters = acronymsOf(name);
  const short = letters.length > 0 ? answer.findIndex((word) => letters.includes(word.norm) && isAcronym(word)) : -1;
  if (short >= 0) return { at: short, length: 1 };
  const [only] = name;
  if (!only || name.length > 1 || !isAcronym(only)) return undefined;
  for (let length = only.norm.length; length <= only.norm.length + 2; length++) {
    for (let at = 0; at + length <= answer.length; at++) {
      if (answer[at]?.norm.charAt(0) !== only.norm.charAt(0)) continue;
      const words = answer.slice(at, at + length);
      const isName = /^\p{Lu}/u.test(words.at(-1)?.text ?? "") && /^\p{Lu}/u.test(words[0]?.text ?? "");
      if (isName && acronymsOf(words).includes(only.norm)) return { at, length };
    }
  }
  return undefined;
};
