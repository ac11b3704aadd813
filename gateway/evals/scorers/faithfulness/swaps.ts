import { overlaps, type Span } from "../../statistics/spans";
import { readNumbers } from "../text/numbers";
import { readTimes } from "../text/times";
import { isStopWord, type Word } from "../text/words";
import { isSame, mayTakePlaceOf, type Value } from "./exchanges";

/* Values of two clauses that are swapped: "Children pay €12" for "Adults pay €12, children pay €5". */

const SEPARATOR = /[,;](?!\p{Nd})|(?<!\p{L})(?:and|while|whereas|but|und|aber|y|et|mais)(?!\p{L})/giu;

/** A clause with a value, and the words that name what the value belongs to. */
interface Clause {
  /** The last one. */
  value: Value;
  before: readonly string[];
  behind: readonly string[];
}

const valuesOf = (text: string, words: readonly Word[]): Value[] => {
  const times: Value[] = readTimes(text).map((time) => ({ start: time.start, end: time.end, time }));
  const numbers = readNumbers(text, words)
    .map((quantity): Value => ({ start: quantity.start, end: quantity.end, quantity }))
    .filter((number) => !times.some((time) => overlaps(time, number)));
  return [...times, ...numbers].sort((a, b) => a.start - b.start);
};

/** The stems of a clause. "Check-in" is one, and the capital in "plan A" counts. */
const namesOf = (text: string, words: readonly Word[]): { stem: string; start: number }[] =>
  words.flatMap((word, at) => {
    const next = words[at + 1];
    if (next && text.slice(word.end, next.start) === "-")
      return [{ stem: `${word.stem}-${next.stem}`, start: word.start }];
    const isPart = at > 0 && text.slice(words[at - 1]?.end, word.start) === "-";
    const isLetter = at > 0 && /^\p{Lu}$/u.test(word.text);
    return isPart || (isStopWord(word) && !isLetter) ? [] : [{ stem: word.stem, start: word.start }];
  });

/** The clauses of a sentence. One without a value is part of the next. */
const clausesOf = (text: string, words: readonly Word[]): Clause[] => {
  const values = valuesOf(text, words);
  const marks = [...text.matchAll(SEPARATOR)].map(({ index, 0: { length } }) => [index, index + length] as const);
  const clauses: Clause[] = [];
  let from = 0;
  for (const [to, next] of [...marks, [text.length, text.length] as const]) {
    const isIn = ({ start }: Pick<Span, "start">) => start >= from && start < to;
    const last = values.findLast(isIn);
    if (!last) continue;
    // The value itself is not a name, but another number can be part of one: "children under 12".
    const names = namesOf(text, words).filter(
      (name) => isIn(name) && !(name.start >= last.start && name.start < last.end),
    );
    clauses.push({
      value: last,
      before: names.filter(({ start }) => start < last.start).map(({ stem }) => stem),
      behind: names.filter(({ start }) => start >= last.end).map(({ stem }) => stem),
    });
    from = next;
  }
  return clauses;
};

/** Longer claims usually tell more than a clause does. */
const LONGEST = 12;

/** The values of a claim that a passage gives for something else that the claim names. */
export const findSwapped = (
  text: string,
  words: readonly Word[],
  passage: string,
  others: readonly Word[],
): Value[] => {
  const known = clausesOf(passage, others);
  if (known.length < 2 || words.length > LONGEST) return [];
  const all = known.map(({ before, behind }) => new Set([...before, ...behind]));
  const isDistinct = (stem: string) => all.filter((stems) => stems.has(stem)).length === 1;
  const subjects = known.map(({ before, behind }) => {
    const [ahead, after] = [before.filter(isDistinct), behind.filter(isDistinct)];
    return { isAhead: ahead.length > 0, stems: ahead.length > 0 ? ahead : after };
  });
  const sentence = new Set(all.flatMap((stems) => [...stems]));
  return clausesOf(text, words).flatMap(({ value, before, behind }) => {
    const said = new Set([...before, ...behind]);
    const own = known.flatMap((clause, at) => (isSame(clause.value, value) ? [at] : []));
    const isLacking = own.every((at) => {
      const [first] = subjects[at]?.stems ?? [];
      return first !== undefined && !said.has(first);
    });
    if (own.length === 0 || !isLacking || ![...said].every((stem) => sentence.has(stem))) return [];
    const isTaken = known.some(
      (clause, at) =>
        !own.includes(at) &&
        own.every((place) => subjects[place]?.isAhead === subjects[at]?.isAhead) &&
        mayTakePlaceOf(clause.value, value) &&
        subjects[at]?.stems.some((stem) => said.has(stem)),
    );
    return isTaken ? [value] : [];
  });
};
