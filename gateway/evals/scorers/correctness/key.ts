import { readSpelled, romanValue } from "../text/number-words";
import type { Word } from "../text/words";

const ORDINAL = /^(\d{1,9})(?:st|nd|rd|th)$/;
const DECIMAL = /^\d{1,15}\.\d{1,9}$/;

/** What a word is compared by: its stem, or its number in digits: "two", "second", "II" and "2" are "2". */
export const keyOf = (word: Word): string => {
  const ordinal = ORDINAL.exec(word.norm)?.[1];
  if (ordinal) return ordinal;
  if (DECIMAL.test(word.norm)) return String(Number(word.norm));
  const spelled = readSpelled([word], 0);
  if (spelled) return String(spelled.value);
  const roman = romanValue(word.text);
  return roman === undefined ? word.stem : String(roman);
};
