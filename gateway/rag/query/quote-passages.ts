import { CODE, isValue } from "../../evals/scorers/text/citations";
import type { Context } from "./merge";

/*
 * Documents are data, never instructions. A passage is quoted between tags that no document can forge: such tags in its
 * text are changed, as are the control tokens of chat templates, and citation markers, which the model would copy. Only the
 * prompt contains the changed text; citations quote the stored text.
 */

/** Control and format characters (zero-width, bidirectional, tags), except tabs and line breaks. */
const INVISIBLE = /(?![\t\n])[\p{Cc}\p{Cf}]|[\u{e0100}-\u{e01ef}]/gu;
/** "<passage", "</passage" and look-alikes. */
const TAG = /[<＜﹤‹〈](?=\s{0,9}[/／⁄∕]?\s{0,9}passage)/giu;
/** "<|im_end|>", "</s>", "<end_of_turn>", "<<SYS>>", "[/INST]". */
const CONTROL_TOKEN = /<(?=\|)|<(?=\/?s>|(?:start|end)_of_turn>|<\/?SYS>)|\[(?=\/?INST\])/gi;
/** "[1]", "[1, 2]", "【1】". Code is unchanged. */
const MARKER = new RegExp(`${CODE}|([\\[【])\\^?(\\d{1,3}(?:\\s?[,;–-]\\s?\\d{1,3}){0,9})[\\]】]`, "gu");

const withoutMarkers = (text: string): string =>
  text.replace(MARKER, (match: string, bracket: string | undefined, numbers: string, at: number) =>
    bracket === undefined || isValue(text, at, at + match.length) ? match : `(${numbers})`,
  );

const asData = (text: string): string =>
  withoutMarkers(text.replace(INVISIBLE, ""))
    .replace(TAG, "‹\u00a0")
    .replace(CONTROL_TOKEN, (sign) => (sign === "[" ? "(" : "‹"));

const LONGEST_LABEL = 200;

/** The source of a passage, on one line: "Staff handbook > Leave, page 3". */
const labelOf = ({ chunks: [first] }: Context): string => {
  const { documentTitle, heading, page } = first;
  const place = [documentTitle, heading].filter((name) => name !== null && name !== "").join(" > ");
  const line = asData(page === null ? place : `${place}, page ${page}`)
    .replace(/["\s]+/g, " ")
    .trim();
  return line.slice(0, LONGEST_LABEL).toWellFormed();
};

/** A context as it appears in the prompt, with its number for citations. */
export const quotePassage = (context: Context): string =>
  `[${context.number}] <passage from="${labelOf(context)}">\n${asData(context.text)}\n</passage>`;
