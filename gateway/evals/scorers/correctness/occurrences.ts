import { indexOfRun } from "../text/overlap";
import { STOP_WORDS } from "../text/stop-words";
import type { ReadText } from "./answer";
import type { Alias } from "./reference";

/** Where an alias stands in an answer, in words. */
export interface Occurrence {
  at: number;
  length: number;
}

/** An alias that is said more often is looked at no further. */
const MOST_OCCURRENCES = 50;

const runs = (words: readonly string[], part: readonly string[]): Occurrence[] => {
  const found: Occurrence[] = [];
  for (let at = indexOfRun(words, part); at >= 0 && found.length < MOST_OCCURRENCES; ) {
    found.push({ at, length: part.length });
    at = indexOfRun(words, part, at + part.length);
  }
  return found;
};

/** Shortest alias that is looked for without spaces, and shortest of several words that may begin within a word. */
const SHORTEST = 5;
const SHORTEST_INSIDE = 8;

/** What may stick to a word by a lost space: "calledsimulations". */
const mayStick = (rest: string): boolean =>
  rest === "" || STOP_WORDS.has(rest) || rest === "called" || rest === "named";

/** The alias with other spaces: "Pac Man" for "Pacman", and where a space was lost. */
const squeezedRuns = ({ squeezed, wordAt, norms }: ReadText, alias: Alias): Occurrence[] => {
  if (alias.squeezed.length < SHORTEST) return [];
  const found: Occurrence[] = [];
  let from = 0;
  while (found.length < MOST_OCCURRENCES) {
    const start = squeezed.indexOf(alias.squeezed, from);
    if (start < 0) break;
    const last = start + alias.squeezed.length - 1;
    const [at, end] = [wordAt[start] ?? 0, wordAt[last] ?? 0];
    const before = squeezed.slice(wordAt.indexOf(at, Math.max(0, start - (norms[at]?.length ?? 0))), start);
    const behind = squeezed.slice(last + 1, last + 1 + (norms[end]?.length ?? 0));
    const rest = behind.slice(
      0,
      wordAt.subarray(last + 1, last + 1 + behind.length).filter((word) => word === end).length,
    );
    const isLong = alias.words.length > 1 && alias.squeezed.length >= SHORTEST_INSIDE;
    if (isLong || (mayStick(before) && mayStick(rest))) found.push({ at, length: end - at + 1 });
    from = last + 1;
  }
  return found;
};

/** Where the alias is said in so many words: in the same forms, in the same stems, or with other spaces. */
export const occurrencesOf = (answer: ReadText, alias: Alias): Occurrence[] => {
  const exact = runs(
    answer.norms,
    alias.words.map(({ norm }) => norm),
  );
  if (exact.length > 0) return exact;
  const stemmed = runs(
    answer.stems,
    alias.words.map(({ stem }) => stem),
  );
  return stemmed.length > 0 ? stemmed : squeezedRuns(answer, alias);
};
