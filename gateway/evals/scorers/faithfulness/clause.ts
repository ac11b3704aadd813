import type { Span } from "./span";

/** Marks at which a clause begins or ends; not within a number ("1,200", "10:30"). */
const isBorder = (text: string, at: number): boolean =>
  /[,;:()–—\n]/.test(text.charAt(at)) && !(/\d/.test(text.charAt(at - 1)) && /\d/.test(text.charAt(at + 1)));

/** A clause is looked for no farther than this. */
const FARTHEST = 200;

/** The span widened to the clauses that it touches, without white space around. */
export const widenToClause = (text: string, span: Span): Span => {
  let { start, end } = span;
  const first = Math.max(0, start - FARTHEST);
  const last = Math.min(text.length, end + FARTHEST);
  while (start > first && !isBorder(text, start - 1)) start--;
  while (end < last && !isBorder(text, end)) end++;
  while (start < span.start && /\s/.test(text.charAt(start))) start++;
  while (end > span.end && /\s/.test(text.charAt(end - 1))) end--;
  // A word that goes on beyond the farthest place, or half a character, is left out.
  if (start > 0 && start === first) start = span.start;
  if (end < text.length && end === last) end = span.end;
  return { start, end };
};
