import { compareDates } from "../text/dates";
import { isSameTime } from "../text/times";
import { ARTICLES, isNameLike, STOP_WORDS } from "../text/words";
import type { ReadText } from "./read-text";

/*
 * Bounds of dates and times: "by 5 May" and "no later than 5 May", "from 5 May" and "no earlier than 5 May". Charges:
 * "2+" and "2-".
 */

const BEFORE =
  /\b(?:(by|until|till|(?:on or )?before|not? (?:\w+ )?later than)|(from|since|(?:on or )?after|as of|not (?:\w+ )?before|not? (?:\w+ )?(?:earlier|sooner) than))\s(?:the\s)?$/iu;
const BEHIND = /^,?\s(?:(at the latest|or (?:earlier|before|sooner))|(at the earliest|or later|onwards?))\b/iu;
const LONGEST = 40;

type Side = "until" | "from";

interface Moment {
  start: number;
  end: number;
}

const sideOf = (text: string, { start, end }: Moment): Side | undefined => {
  const [, until, from] =
    BEHIND.exec(text.slice(end, end + LONGEST)) ?? BEFORE.exec(text.slice(Math.max(0, start - LONGEST), start)) ?? [];
  return until ? "until" : from ? "from" : undefined;
};

const isReversed = <T extends Moment>(
  [text, moments]: readonly [string, readonly T[]],
  [answer, given]: readonly [string, readonly T[]],
  isSame: (a: T, b: T) => boolean,
): boolean =>
  moments.some((moment) => {
    const wanted = sideOf(text, moment);
    const sides = given.filter((other) => isSame(moment, other)).map((other) => sideOf(answer, other));
    return wanted !== undefined && sides.length > 0 && sides.every((side) => side !== undefined && side !== wanted);
  });

const CHARGE = /(?<![\p{N}.,])(\p{Nd})\s?([-+−])(?![\p{L}\p{N}])/u;
const chargeOf = (text: string): string | undefined =>
  CHARGE.exec(text.normalize("NFKC").replace(/([-+−])(\p{Nd})(?![\p{L}\p{N}.,])/gu, "$2$1"))
    ?.slice(1)
    .join("")
    .replace("−", "-");

/** Whether an answer reverses the charge at the end of a reference: "2-" for "2+". */
const reversesCharge = (reference: string, answer: string): boolean => {
  const wanted = /\p{Nd}\s?[-+−]$/u.test(reference.trim().normalize("NFKC")) ? chargeOf(reference) : undefined;
  const given = wanted && chargeOf(answer);
  return given !== undefined && given !== "" && given !== wanted && given[0] === wanted?.[0];
};

/** Whether an answer gives a date, time or charge of a reference with the opposite bound or sign: "from 5 May" for "by 5 May". */
export const reversesValue = (expected: ReadText, given: ReadText): boolean =>
  reversesCharge(expected.text, given.text) ||
  isReversed([expected.text, expected.dates], [given.text, given.dates], (a, b) => compareDates(a, b) === "same") ||
  isReversed([expected.text, expected.times], [given.text, given.times], isSameTime);

/** Two values in a certain order: "from X to Y", "3 to 2", "3:2", "12 vs 15". */
type Pair = readonly [first: string, second: string];

/** Maximum number of words between "from" and "to", and between a number and "to" ("5.7 percent to"). */
const MAX_APART = 12;
const MAX_UNIT = 3;

/** The pairs in a text, in the form in which words are compared. */
export const pairsOf = ({ words, keys, norms, text }: ReadText): Pair[] => {
  const thingAt = (at: number): string | undefined =>
    keys.slice(at, at + 2).find((_, step) => !ARTICLES.has(norms[at + step] ?? ""));
  const firstOf = (at: number): string | undefined => {
    const start = Math.max(0, at - MAX_APART);
    const from = norms.slice(start, at).lastIndexOf("from");
    if (from >= 0) return thingAt(start + from + 1);
    const number = keys.slice(Math.max(0, at - MAX_UNIT), at).findLast((key) => /^\d/.test(key));
    if (number) return number;
    // "to 5.2 % from 5.7 %"
    const behind = norms.slice(at, at + 2 + MAX_UNIT).indexOf("from");
    if (behind > 0) return thingAt(at + behind + 1);
    const areNames = [at - 1, at + 1].every((place) => words[place] && isNameLike(words[place]));
    return areNames && norms[at] === "to" ? keys[at - 1] : undefined;
  };
  return words.flatMap((word, at): Pair[] => {
    const next = thingAt(at + 1);
    if (next && /^\s?:\s?$/.test(text.slice(word.end, words[at + 1]?.start))) return [[keys[at] ?? "", next]];
    const first = /^(?:to|until|till|vs|versus)$/.test(word.norm) ? firstOf(at) : undefined;
    return first && next && !STOP_WORDS.has(next) ? [[first, next]] : [];
  });
};

/** Whether pairs of an answer reverse one of a reference: "from 5.2 % to 5.7 %" for "from 5.7 % to 5.2 %". */
export const isSwapped = (expected: ReadText, given: readonly Pair[]): boolean => {
  const has = (first: string, second: string) => given.some(([a, b]) => a === first && b === second);
  return pairsOf(expected).some(([first, second]) => first !== second && has(second, first) && !has(first, second));
};
