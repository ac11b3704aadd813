import type { ClaimSpan } from "../../judge/judge";
import { readSentences, type Sentence } from "../text/sentences";
import { isStopWord, readWords } from "../text/words";

/** More claims than this are not told apart: the rest of an output is one more. */
const MOST_CLAIMS = 400;
/** Longer ones that end with a colon say something themselves. */
const LONGEST_HEADING = 25;

/** What is said to whoever asked, about nothing: "Sure!", "I hope this helps." */
const COURTESY = new RegExp(
  [
    String.raw`^(?:sure(?: thing)?|certainly|of course|absolutely|great|hello|hi|hey|thanks?(?: you)?|you're welcome|no problem|good luck)[\s!.,]*(?:there)?[\s!.,]*$`,
    String.raw`^(?:sure|certainly|of course|okay|ok)?[\s!,.]*(?:i|we)(?: can|'d be happy to|'ll| will| would be happy to) (?:help|assist)\b.{0,60}$`,
    String.raw`^please (?:provide|clarify|share|give)\b.{0,120}$`,
    String.raw`^(?:i|we) hope (?:this|that|it)\b.{0,60}$`,
    String.raw`^(?:please )?let me know\b.{0,100}$`,
    String.raw`^(?:please )?feel free to\b.{0,100}$`,
    String.raw`^how (?:can|may) i help\b.{0,60}$`,
    String.raw`^(?:is there )?anything else\b.{0,60}$`,
    String.raw`^(?:sure|certainly|of course|okay|ok)?[\s!,.]*here(?:'s|’s| is| are)\b.{0,200}:?$`,
    String.raw`^enjoy\b.{0,30}$`,
  ].join("|"),
  "iu",
);

/** Words that answer whoever spoke before, and say nothing by themselves. */
export const INTERJECTIONS: ReadonlySet<string> = new Set(
  "yes yeah yep yea no nope oh well absolutely exactly sure wow haha hmm ok okay".split(" "),
);

const LACK = `(?:unable to|ca(?:nnot|n['’]t|n not)|could(?:n['’]t| not)|do(?:es)? not|do(?:es)?n['’]t|did(?:n['’]t| not)|(?:is|are) not|(?:is|are)n['’]t|no)`;
const SOURCE = `(?:contexts?|passages?|documents?|sources?|texts?|articles?|information|data|snippets?|excerpts?)`;
/** The answer says that it, or what it was given, has no answer. */
const ABSTENTION = new RegExp(
  [
    String.raw`\bunable to (?:answer|find|determine|provide|say)\b`,
    String.raw`\b(?:ca(?:nnot|n['’]t|n not)|could(?:n['’]t| not)) (?:be )?(?:answer|find|found|determin|provid|say|tell|help|locat)`,
    String.raw`\b(?:i|we) (?:do not|don['’]t) (?:know|have (?:enough|any|the|that|this|information))`,
    String.raw`\b${SOURCE}\b.{0,40}\b${LACK}\s.{0,30}\b(?:mention|contain|provid|includ|say|state|specif|answer|address|discuss|cover|enough|sufficient)`,
    String.raw`\bno (?:relevant |specific |such |further )?(?:information|mention|context|answer|data)\b.{0,60}\b(?:provid|given|available|found|in the|about|of|on)`,
    String.raw`\b(?:not|n['’]t) (?:enough|sufficient) (?:information|context|data)`,
    String.raw`\bnot (?:explicitly |specifically |directly )?(?:mentioned|stated|specified|provided|given|addressed|discussed)\b`,
  ].join("|"),
  "iu",
);

/** Patterns look at no more of a sentence than this. */
const LOOKED_AT = 600;

/** What comes after a "but" may claim something all the same. */
const TURN = /\b(?:but|however|although|though|yet)\b/iu;

const isSilent = (text: string): boolean =>
  readWords(text).every((word) => isStopWord(word) || INTERJECTIONS.has(word.norm));

/** The sentence says that there is no answer, and nothing else. */
const isAbstention = (sentence: string): boolean => {
  const text = sentence.slice(0, LOOKED_AT);
  if (!ABSTENTION.test(text)) return false;
  const turn = TURN.exec(text);
  const [before, after] = turn ? [text.slice(0, turn.index), text.slice(turn.index + turn[0].length)] : [text, ""];
  return [before, after].every((part) => isSilent(part) || ABSTENTION.test(part));
};

const saysNothing = (text: string): boolean => {
  if (/[?？]["'”’)\]*]*$/u.test(text)) return true;
  const words = readWords(text.slice(0, LOOKED_AT));
  if (/[:：]\**$/u.test(text) && words.length <= LONGEST_HEADING) return true;
  return isSilent(text.slice(0, LOOKED_AT)) || COURTESY.test(text.slice(0, LOOKED_AT).trim());
};

/** Sentences and list items that claim something: no questions, headings, courtesies, nor that the contexts lack an answer. */
export const claimSpans = (output: string): ClaimSpan[] => {
  const sentences = readSentences(output);
  const claims = sentences.filter(({ text }) => !saysNothing(text) && !isAbstention(text));
  return mergeRest(output, claims);
};

const mergeRest = (output: string, claims: Sentence[]): ClaimSpan[] => {
  const [kept, rest] = [claims.slice(0, MOST_CLAIMS), claims.slice(MOST_CLAIMS)];
  const [first, last] = [rest[0], rest.at(-1)];
  if (first && last) kept.push({ text: output.slice(first.start, last.end), start: first.start, end: last.end });
  return kept;
};

/** Why an output has no claims. */
export type Silence = "empty" | "abstention" | "other";

export const silenceOf = (output: string): Silence => {
  const sentences = readSentences(output);
  if (sentences.length === 0) return "empty";
  return sentences.some(({ text }) => isAbstention(text)) ? "abstention" : "other";
};
