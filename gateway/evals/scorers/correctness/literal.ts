import { typeAscii } from "../text/signs";
import type { Alias } from "./aliases";
import type { Occurrence, ReadText } from "./read-text";

/* References that are code, a path or an address must be in the answer literally, apart from spaces and case. */

/** A path, flag, prefix operator, comparison, arrow or address. */
const LITERAL = new RegExp(
  [
    String.raw`(?:^|\s)(?:~?\.{0,2}[/\\](?![/\\\p{N}])|--?\p{L}|[*&]\p{L}|!=|==)`,
    String.raw`[^\s=]\s?[!+*/-]=|->|[^\s@]+@[^\s@]+\.\p{L}|\p{L}:\/\/`,
  ].join("|"),
  "u",
);
/** Characters that would continue the code on either side. */
const NEIGHBOUR = String.raw`[\p{L}\p{N}*&!=<>~/\\@-]`;

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

export const isLiteral = ({ text }: Alias): boolean => LITERAL.test(typeAscii(text));

/** Finds the literal in a text; null if the text doesn't contain all of it. */
export const findLiteral = (text: string, literal: string): RegExpExecArray | null => {
  const pieces = typeAscii(literal.trim()).match(/[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];
  const pattern = pieces.map(escaped).join(String.raw`\s?`);
  return new RegExp(`(?<!${NEIGHBOUR})${pattern}(?!${NEIGHBOUR})`, "iu").exec(typeAscii(text));
};

/** Whether a command has a flag in the answer that the reference lacks: "ls -a" for "ls". */
export const hasFlag = ({ text }: Alias, { text: answer, words }: ReadText, { at, length }: Occurrence): boolean =>
  /^\p{Ll}/u.test(text) &&
  /^\s(?:-\p{L}{1,4}|--\p{L}[\w-]+)(?![\p{L}\p{N}-])/u.test(answer.slice(words[at + length - 1]?.end));

/** Where the answer contains a literal reference. */
export const literalPlaces = (answer: ReadText, { text }: Alias): Occurrence[] => {
  const found = findLiteral(answer.text, text);
  if (!found) return [];
  const at = answer.words.findIndex(({ end }) => end > found.index);
  const next = answer.words.findIndex(({ start }) => start >= found.index + found[0].length);
  return at < 0 ? [] : [{ at, length: Math.max(1, (next < 0 ? answer.words.length : next) - at) }];
};
