import { isSameText } from "../text/same-text";

/* Labels before an answer: the letter of an option ("B) Saturn") and the name before an equals sign ("x = -3"). */

/** A label and the text that follows it. */
export interface Labelled {
  label: string;
  /** Empty if the text is only an option's letter. */
  text: string;
  isOption: boolean;
}

const LEAD = String.raw`^[\s*_"$]*(?:(?:so|therefore),?\s)?(?:the\s)?(?:(?:correct|right|final)\s)?(?:(?:answer|solution)(?:\sis|:)\s?)?[\s*_"$]*`;
const OPTION = new RegExp(
  String.raw`${LEAD}(?:(?:option|choice)\s)?\(?([A-H])(?:\)[.:]?|[.:]|\s[-–—]|(?=[*_"\s]*\.?$))[*_"]*(?:\s+(.+)|)$`,
  "isu",
);
const EQUATION = new RegExp(String.raw`${LEAD}(\p{L}\w{0,15}(?:\(\p{L}\))?)\s?=\s?([^=<>]+)$`, "isu");
/**
 * Matches a "B." that may be an initial. An option after it starts with a capital letter: "B. Saturn", not "E. coli" or
 * "D. H. Lawrence".
 */
const INITIAL = /^[^.]*(?<!\p{L})\p{L}\.\s+(?:\p{Ll}|\p{Lu}\.)/u;

/** Maximum length of a text that is searched for a label. */
const MAX_LABELLED_LENGTH = 400;

/** Reads the label at the start of a text; undefined if there is none. */
export const readLabel = (source: string): Labelled | undefined => {
  const text = source.trim();
  if (text.length > MAX_LABELLED_LENGTH) return undefined;
  const [, letter, option = ""] = OPTION.exec(text) ?? [];
  if (letter && !INITIAL.test(text)) return { label: letter.toUpperCase(), text: option.trim(), isOption: true };
  const [, name, value] = EQUATION.exec(text) ?? [];
  // In "i = i + 1", the right side is not the value of i.
  const isValue = name && value && !new RegExp(String.raw`(?<!\p{L})${name.charAt(0)}(?!\p{L})`, "u").test(value);
  return isValue ? { label: name, text: value.trim(), isOption: false } : undefined;
};

const MAX_QUESTION_LENGTH = 4000;
const OPTION_OF_QUESTION = /(?<![\p{L}\p{N}])\(?([A-H])[).:]\s+(.+?)(?=[\s,;]+\(?[A-H][).:]\s|\s*$)/gsu;

/** Reads a reference's label. If the reference is only an option's letter or text, the question's options complete it. */
export const labelOf = (reference: string, question: string): Labelled | undefined => {
  const own = readLabel(reference);
  if (own?.text) return own;
  const options = [...question.slice(0, MAX_QUESTION_LENGTH).matchAll(OPTION_OF_QUESTION)];
  const [, label, text] =
    options.find((option) => option[1] === own?.label || isSameText(option[2] ?? "", reference)) ?? [];
  return label && text && options.length > 1 ? { label, text, isOption: true } : undefined;
};

/**
 * Whether an answer's label differs from the reference's, or the text after its letter doesn't match: "B) Jupiter" for
 * "B) Saturn".
 */
export const contradictsLabel = (given: Labelled | undefined, expected: Labelled | undefined, part: string): boolean =>
  given !== undefined &&
  given.isOption === expected?.isOption &&
  (given.label !== expected.label || (given.text !== "" && part === given.label));
