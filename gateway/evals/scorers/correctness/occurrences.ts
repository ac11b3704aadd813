import { indexOfRun } from "../text/overlap";
import { hasKoreanEnding } from "../text/stem";
import { STOP_WORDS } from "../text/words";
import { acronymPlace } from "./acronyms";
import { joined, type ReadText } from "./answer";
import { familyOf } from "./families";
import { keyOf } from "./key";
import { likeness } from "./likeness";
import type { Alias } from "./reference";

/** Where an alias stands in an answer, in words. */
export interface Occurrence {
  at: number;
  length: number;
}

/** An alias that is said more often is looked at no further. */
const MAX_OCCURRENCES = 50;

const runs = (words: readonly string[], text: string, part: readonly string[]): Occurrence[] => {
  // Native search tells at once that a long part is not there.
  if (!text.includes(joined(part))) return [];
  const found: Occurrence[] = [];
  for (let at = indexOfRun(words, part); at >= 0 && found.length < MAX_OCCURRENCES; ) {
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
const squeezedRuns = ({ squeezed, wordAt, squeezedAt }: ReadText, alias: Alias): Occurrence[] => {
  // "F16" for "F-16".
  const isCode = alias.words.length > 1 && /\p{N}/u.test(alias.squeezed) && /\p{L}/u.test(alias.squeezed);
  if (alias.squeezed.length < SHORTEST && !isCode) return [];
  const found: Occurrence[] = [];
  let from = 0;
  while (found.length < MAX_OCCURRENCES) {
    const start = squeezed.indexOf(alias.squeezed, from);
    if (start < 0) break;
    const last = start + alias.squeezed.length - 1;
    const [at, end] = [wordAt[start] ?? 0, wordAt[last] ?? 0];
    const before = squeezed.slice(squeezedAt[at], start);
    const rest = squeezed.slice(last + 1, squeezedAt[end + 1]);
    const isLong = alias.words.length > 1 && alias.squeezed.length >= SHORTEST_INSIDE;
    const isWhole = before === "" && rest === "";
    if (isWhole || (!isCode && (isLong || (mayStick(before) && mayStick(rest)))))
      found.push({ at, length: end - at + 1 });
    from = last + 1;
  }
  return found;
};

/** Words of an alias, and words that may stand between them: "Thomas Alva Edison", "the sinoatrial (SA) node". */
const MAX_SPREAD = 8;
const BETWEEN = 2;
/** What a word counts for that is only spelled otherwise. */
const SPELLED_OTHERWISE = 0.9;

/** Words of an answer that are tried as the beginning of such a run. */
const MAX_STARTS = 3000;
/** Shortest single word that may be spelled otherwise: "Potter" and "Porter" are two names. */
const SHORTEST_ALONE = 7;

interface Wanted {
  norm: string;
  key: string;
  family: number | undefined;
}

const isTooShort = ([first, ...others]: readonly Wanted[]): boolean =>
  others.length === 0 && first?.family === undefined && (first?.norm.length ?? 0) < SHORTEST_ALONE;

/** The alias in order with a few words between, or in another spelling. */
const spreadRuns = (answer: ReadText, { words }: Alias): Occurrence[] => {
  const wanted = words
    .filter(({ norm }) => !STOP_WORDS.has(norm))
    .map((word): Wanted => ({ norm: word.norm, key: keyOf(word), family: familyOf(word.norm) }));
  if (wanted.length === 0 || wanted.length > MAX_SPREAD || isTooShort(wanted)) return [];
  for (let at = 0; at < Math.min(answer.words.length, MAX_STARTS); at++) {
    const end = spreadEnd(answer, wanted, at);
    if (end > 0) return [{ at, length: end - at }];
  }
  return [];
};

const isAlike = ({ norms, keys }: ReadText, at: number, wanted: Wanted): boolean => {
  if (keys[at] === wanted.key) return true;
  const norm = norms[at];
  if (wanted.family !== undefined && familyOf(norm ?? "") === wanted.family) return true;
  return norm !== undefined && norm[0] === wanted.norm[0] && likeness(norm, wanted.norm) >= SPELLED_OTHERWISE;
};

/** Where a run that begins at `at` ends; 0: none begins there. */
const spreadEnd = (answer: ReadText, wanted: readonly Wanted[], at: number): number => {
  let place = at;
  for (const [index, word] of wanted.entries()) {
    const last = index === 0 ? place : place + BETWEEN;
    while (place <= last && !isAlike(answer, place, word)) place++;
    if (place > last) return 0;
    place++;
  }
  return place;
};

/** The words of the alias, the last one with a Korean particle: "파리입니다". */
const runsWithParticle = ({ norms }: ReadText, { words }: Alias): Occurrence[] => {
  const last = words.at(-1)?.norm ?? "";
  if (!/\p{sc=Hangul}$/u.test(last)) return [];
  return norms.flatMap((norm, end) => {
    const at = end - words.length + 1;
    const isRun =
      hasKoreanEnding(last, norm) && words.slice(0, -1).every((word, step) => word.norm === norms[at + step]);
    return isRun ? [{ at, length: words.length }] : [];
  });
};

const waysOf: readonly ((answer: ReadText, alias: Alias) => Occurrence[])[] = [
  (answer, { words }) =>
    runs(
      answer.norms,
      answer.joinedNorms,
      words.map(({ norm }) => norm),
    ),
  (answer, { words }) => runs(answer.keys, answer.joinedKeys, words.map(keyOf)),
  runsWithParticle,
  squeezedRuns,
  ({ words }, alias) => {
    const acronym = acronymPlace(words, alias.words);
    return acronym ? [acronym] : [];
  },
  spreadRuns,
];

/**
 * Where the alias is said in so many words: in the same forms, in the same stems, with other spaces, by its initials,
 * with a few words between, or in a slightly different spelling. The first of these ways that is found is taken.
 */
export const occurrencesOf = (answer: ReadText, alias: Alias): Occurrence[] => {
  for (const way of waysOf) {
    const found = way(answer, alias);
    if (found.length > 0) return found;
  }
  return [];
};
