import { NO, YES } from "../text/refusal";
import { typeAscii } from "../text/signs";
import type { Alias } from "./aliases";
import { type Occurrence, placeOf, type ReadText } from "./read-text";

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

export const isLiteral = ({ text }: Alias): boolean => LITERAL.test(typeAscii(text));

/** Finds the literal in a text; null if the text doesn't contain all of it. */
export const findLiteral = (text: string, literal: string): RegExpExecArray | null => {
  const pieces = typeAscii(literal.trim()).match(/[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];
  const pattern = pieces.map(RegExp.escape).join(String.raw`\s?`);
  return new RegExp(`(?<!${NEIGHBOUR})${pattern}(?!${NEIGHBOUR})`, "iu").exec(typeAscii(text));
};

/** Whether a command has a flag in the answer that the reference lacks: "ls -a" for "ls". */
export const hasFlag = ({ text }: Alias, { text: answer, words }: ReadText, { at, length }: Occurrence): boolean =>
  /^\p{Ll}/u.test(text) &&
  /^\s(?:-\p{L}{1,4}|--\p{L}[\w-]+)(?![\p{L}\p{N}-])/u.test(answer.slice(words[at + length - 1]?.end));

/** Where the answer contains a literal reference. */
export const literalPlaces = (answer: ReadText, { text }: Alias): Occurrence[] => {
  const found = findLiteral(answer.text, text);
  const place = found && placeOf(answer, { start: found.index, end: found.index + found[0].length });
  return place && place.at < answer.words.length ? [place] : [];
};

/*
 * Texts in which a different case has a different meaning: "\D" and "\d", "-I" and "-i", "Co" and "CO", "mW" and "MW".
 */

/** A class of a regular expression, a flag of one dash. */
const CODE = /\\\p{L}|(?:^|\s)-\p{L}{1,4}(?![\p{L}-])/u;
const UNIT = /^[mM](?:W|V|A|J|Hz|eV|Wh)?$|^[MG][bB]$/;
/** "5 mW", "100 Mb". */
const AMOUNT = /\p{Nd}\s?(?:[mM](?:W|Wh|Hz)|[KMGT][bB](?:ps|\/s)?)(?![\p{L}\p{N}])/u;
/** Elements whose two letters are also two elements: "Co" and "CO". */
const ELEMENT = /^(?:Bi|Ca|Cf|Co|Cs|Cu|Hf|Ho|In|Nb|Ni|No|Np|Os|Pb|Po|Pu|Sc|Si|Sn|Yb)$/i;
/** Questions whose short answer is a symbol. */
const ASKS_SYMBOL =
  /\b(?:symbol|unit|prefix|variable|abbreviat\w+|formula|notation|regex|regular expression|flag|switch|identifier)\b/iu;

const isCased = (reference: string, question: string): boolean => {
  const text = reference.trim();
  if (CODE.test(text) || UNIT.test(text)) return true;
  const word = text.toLowerCase();
  const isShort = /^\p{L}{1,3}$/u.test(text) && !YES.has(word) && !NO.has(word);
  return isShort && (ASKS_SYMBOL.test(question) || (ELEMENT.test(text) && /^\p{Lu}/u.test(text)));
};

const contains = (text: string, part: string, flags: string): boolean =>
  new RegExp(String.raw`(?<![\p{L}\p{N}])${RegExp.escape(part)}(?![\p{L}\p{N}])`, flags).test(text);

/** Whether an answer contains a reference only in a different case, which changes its meaning. */
export const hasOtherCase = (reference: string, answer: string, question: string): boolean => {
  const part = reference.trim().replace(/[.,;:!?]$/u, "");
  return isCased(part, question) && contains(answer, part, "iu") && !contains(answer, part, "u");
};

/** Whether the case of a unit decides what an amount is: "5 mW" and "5 MW". */
export const isCasedAmount = (text: string): boolean => AMOUNT.test(text);
