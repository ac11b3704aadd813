import { compareDates } from "../text/dates";
import { isSameTime } from "../text/times";
import type { ReadText } from "./read-text";

/* Bounds of dates and times: "by 5 May" and "no later than 5 May", "from 5 May" and "no earlier than 5 May". */

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

/** Whether an answer gives a date or time of a reference with the opposite bound: "from 5 May" for "by 5 May". */
export const reversesBound = (expected: ReadText, given: ReadText): boolean =>
  isReversed([expected.text, expected.dates], [given.text, given.dates], (a, b) => compareDates(a, b) === "same") ||
  isReversed([expected.text, expected.times], [given.text, given.times], isSameTime);
