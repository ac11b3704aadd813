import type { Span } from "../../statistics/spans";
import type { ReadClaim } from "./claims";
import type { UnsupportedSpan } from "./contradictions";
import type { AttributeFinding } from "./records";

const TRUTHS = { yes: "affirm", no: "deny", unknown: "leave open" } as const;

const attributeNote = ({ attribute, isDenied }: AttributeFinding): string =>
  `The data ${TRUTHS[attribute.truth]} "${attribute.name}", but the answer ${isDenied ? "denies" : "affirms"} it.`;

/** Findings that contradict a claim whatever its other words. Offsets count from the start of the claim. */
export const contradictions = ({ evidence }: ReadClaim): UnsupportedSpan[] => [
  ...evidence.attributes.flatMap((finding) =>
    finding.verdict === "wrong" ? [{ start: finding.start, end: finding.end, note: attributeNote(finding) }] : [],
  ),
  ...evidence.altered,
  ...(evidence.reversal ? [{ ...evidence.reversal, note: "A context says the opposite in the same words." }] : []),
];

/** Numbers and names that no context contains. */
const additions = ({ evidence }: ReadClaim): UnsupportedSpan[] => [
  ...evidence.attributes.flatMap((finding) =>
    finding.verdict === "unknown" ? [{ start: finding.start, end: finding.end, note: attributeNote(finding) }] : [],
  ),
  ...evidence.numbers.missing.map(({ start, end }) => ({ start, end, note: "No context contains this number." })),
  ...evidence.newNames.flatMap((at) => {
    const word = evidence.words[at];
    return word ? [{ start: word.start, end: word.end, note: "No context contains this name." }] : [];
  }),
];

const SUPPORT_COST = 0.5;
/** A claim with more than this fraction of new words is unsupported as a whole. */
const MOSTLY_NEW = 0.6;

const gapIn = ({ evidence }: ReadClaim): UnsupportedSpan[] => {
  const { words, weights, known } = evidence;
  const { from, to } = heaviestGap(weights, known, SUPPORT_COST);
  const [first, last] = [words[from], words[to - 1]];
  return first && last && to > from ? [{ start: first.start, end: last.end, note: "No context says this." }] : [];
};

/** Merges spans that overlap or touch, and keeps the first one's note. */
const merge = (spans: readonly UnsupportedSpan[]): UnsupportedSpan[] => {
  const merged: UnsupportedSpan[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (last && span.start <= last.end + 1) last.end = Math.max(last.end, span.end);
    else merged.push({ ...span });
  }
  return merged;
};

/** The clauses of a claim that no context supports; the whole claim, if it can't be narrowed down. */
export const unsupportedSpans = (read: ReadClaim): UnsupportedSpan[] => {
  const { claim, weights, known } = read.evidence;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const fresh = weights.reduce((sum, weight, at) => sum + weight * (1 - (known[at] ?? 0)), 0);
  const whole = { start: 0, end: claim.text.length, note: "No context says this." };
  const hard = contradictions(read);
  if (hard.length === 0 && fresh > MOSTLY_NEW * total) return [whole];
  const narrow = [...hard, ...additions(read), ...(hard.length > 0 ? [] : gapIn(read))];
  const found = merge(narrow.map((span) => ({ ...span, ...widenToClause(claim.text, span) })));
  return found.length > 0 ? found : [whole];
};

/** Whether a clause begins or ends here. Marks within a number ("1,200", "10:30") don't count. */
const isBorder = (text: string, at: number): boolean =>
  /[,;:()–—\n]/.test(text.charAt(at)) && !(/\d/.test(text.charAt(at - 1)) && /\d/.test(text.charAt(at + 1)));

/** Maximum number of characters searched for the end of a clause. */
const MAX_CLAUSE_DISTANCE = 200;

/** Extends the span to the clauses it touches, without surrounding whitespace. */
const widenToClause = (text: string, span: Span): Span => {
  let { start, end } = span;
  const first = Math.max(0, start - MAX_CLAUSE_DISTANCE);
  const last = Math.min(text.length, end + MAX_CLAUSE_DISTANCE);
  while (start > first && !isBorder(text, start - 1)) start--;
  while (end < last && !isBorder(text, end)) end++;
  while (start < span.start && /\s/.test(text.charAt(start))) start++;
  while (end > span.end && /\s/.test(text.charAt(end - 1))) end--;
  // Excludes a word that continues beyond the search limit, and a split character.
  if (start > 0 && start === first) start = span.start;
  if (end < text.length && end === last) end = span.end;
  return { start, end };
};

/** The part of a claim with the most unsupported weight. */
interface Gap {
  /** Index of its first word, and the index after its last word. */
  from: number;
  to: number;
  /** The sum of its words' weights. */
  weight: number;
}

const NONE: Gap = { from: 0, to: 0, weight: 0 };

/**
 * The sequence of words with the largest surplus of unsupported over supported weight (the maximum-sum segment, Bentley
 * 1984). `support` of each word is 0…1; a supported word subtracts `cost` times its weight.
 */
const heaviestGap = (weights: readonly number[], support: readonly number[], cost: number): Gap => {
  let best = NONE;
  let open = NONE;
  for (const [at, weight] of weights.entries()) {
    const known = support[at] ?? 0;
    const gain = weight * (1 - known) - cost * weight * known;
    open =
      open.weight > 0 ? { ...open, to: at + 1, weight: open.weight + gain } : { from: at, to: at + 1, weight: gain };
    if (gain > 0 && open.weight > best.weight) best = open;
  }
  return best;
};
