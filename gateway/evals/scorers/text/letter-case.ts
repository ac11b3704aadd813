import { NO, YES } from "./refusal";

/* Texts in which another case is another thing: "\D" and "\d", "-I" and "-i", "Co" and "CO", "mW" and "MW". */

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
  new RegExp(String.raw`(?<![\p{L}\p{N}])${part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")}(?![\p{L}\p{N}])`, flags).test(
    text,
  );

/** Whether an answer has a reference only in another case, and that is another thing. */
export const hasOtherCase = (reference: string, answer: string, question: string): boolean => {
  const part = reference.trim().replace(/[.,;:!?]$/u, "");
  return isCased(part, question) && contains(answer, part, "iu") && !contains(answer, part, "u");
};

/** Whether the case of a unit decides what an amount is: "5 mW" and "5 MW". */
export const isCasedAmount = (text: string): boolean => AMOUNT.test(text);
