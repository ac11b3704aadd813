import { ABSTENTION_PHRASES, stanceOf } from "../text/stance";
import type { Word } from "../text/words";

/** Phrases that hint at a refusal but don't make the whole sentence an abstention. */
const HEDGES = [
  String.raw`\b(?:i|we)(?:['’]?m| am| are)? (?:sorry|afraid|unable|not (?:sure|aware|certain|able))\b`,
  String.raw`\b(?:i|we) (?:do not|don['’]?t|can ?not|can['’]?t|could not|couldn['’]?t) (?:have|know|find|provide|answer|access|determine|give|tell|confirm|recall)\b`,
  String.raw`\bas an ai\b`,
  String.raw`\bthere (?:is|was|are) (?:no|not enough|insufficient) (?:\w+ ){0,2}(?:information|answer|record|data|evidence|way)\b`,
  String.raw`\b(?:no|not enough|insufficient|any) (?:\w+ )?(?:information|context)\b`,
  String.raw`\b(?:is|are) not (?:clear|known|specified|mentioned|provided)\b`,
  String.raw`\b(?:please|could you) (?:provide|clarify|specify|give)\b`,
  String.raw`\bmore (?:context|details?|information)\b`,
  String.raw`\b(?:unknown|n\/a|not available|it depends|depends on)\b`,
];
const REFUSAL = new RegExp([...HEDGES, ...ABSTENTION_PHRASES].join("|"), "giu");

/** Longer outputs are searched at their beginning. */
const MAX_CHARACTERS = 4000;
/** Signs of a refusal from which on it is certain. */
const CERTAIN = 2;

/** How clearly an output refuses to answer, 0…1. */
export const refusalOf = (output: string): number =>
  stanceOf(output) === "abstains"
    ? 1
    : Math.min(1, [...output.slice(0, MAX_CHARACTERS).matchAll(REFUSAL)].length / CERTAIN);

const NEGATIONS = new Set(
  (
    "not no never neither nor without isnt wasnt arent werent dont doesnt didnt cant cannot couldnt wont wouldnt hasnt " +
    "havent hadnt incorrect incorrectly wrong wrongly false falsely mistakenly mistaken myth unlike except excluding"
  ).split(" "),
);
/** "not only", "not just": no denial. */
const SOFTENERS = new Set(["only", "just", "merely", "least", "until", "before"]);
/** Words of a denial before, and behind, what is denied. */
const BEFORE = 4;
const BEHIND = 3;
const VERBS = new Set("is was are were did does do has have had be been".split(" "));

export const isNegation = ({ norm }: Word): boolean => NEGATIONS.has(norm);

const isPair = (first: Word | undefined, second: Word | undefined): boolean =>
  (first?.norm === "rather" && second?.norm === "than") ||
  (first?.norm === "instead" && second?.norm === "of") ||
  (first?.norm === "contrary" && second?.norm === "to");

/** Whether what stands at `at` (`length` words) is denied: "not X", "X is not", "instead of X". */
export const isDenied = (words: readonly Word[], at: number, length: number, text: string): boolean => {
  for (let i = at - 1; i >= Math.max(0, at - BEFORE); i--) {
    const [word, next] = [words[i], words[i + 1]];
    if (!word || !next || /[.;:!?,]/.test(text.slice(word.end, next.start)) || word.norm === "but") break;
    if (isPair(word, next) && i + 1 < at) return true;
    if (isNegation(word) && !SOFTENERS.has(next.norm)) return true;
  }
  const end = at + length;
  const next = words[end];
  if (!next || !(VERBS.has(next.norm) || isNegation(next))) return false;
  for (let i = end; i < Math.min(words.length, end + BEHIND); i++) {
    const [before, word] = [words[i - 1], words[i]];
    if (!before || !word || /[.;:!?,]/.test(text.slice(before.end, word.start))) return false;
    if (isNegation(word) && word.norm !== "no" && !SOFTENERS.has(words[i + 1]?.norm ?? "")) return true;
  }
  return false;
};
