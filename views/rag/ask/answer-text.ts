import type { RagAnswer } from "../../../gateway/rag/contract";
import type { Citation } from "../../../gateway/retrieval-contract";
import { markdown } from "../../ui/markdown";

/** Symbols around a number, for marks that survive the Markdown renderer, which treats them as punctuation. */
const [OPEN, CLOSE] = ["\u2FF0", "\u2FF1"];
const TAG_OR_MARK = new RegExp(`(<[^>]*>)|${OPEN}(\\d+)${CLOSE}`, "g");
const ALL_MARKS = new RegExp(`${OPEN}\\d+${CLOSE}|%E2%BF%B0\\d+%E2%BF%B1`, "g");
/** A mark before the sign of a list, heading, quote or table row would hide it from the renderer. */
const BLOCK_SIGN = /^(?:(?:[-*+>]|#{1,6}|\d{1,9}[.)])\s+|\|\s*)/;
/** A mark after the end of a table row would become an extra cell. */
const ROW_END = /\s*\|\s*$/;

type Sentence = NonNullable<RagAnswer["grounding"]>["sentences"][number];

interface Mark {
  at: number;
  /** 0: replaces nothing. */
  length: number;
  kind: "start" | "end" | "citation";
  sentence?: Sentence;
  citation?: Citation;
}

interface MarkedText {
  answer: string;
  citations: readonly Citation[];
  sentences: readonly Sentence[];
  /** HTML of the link to a passage. */
  linkOf(citation: Citation): string;
}

/**
 * The answer as safe HTML: Markdown, with its markers as links to the passages and each sentence that the passages don't
 * support in a `mark`. Markers and sentences are found by their offsets in the text.
 */
export const answerHtml = ({ answer, citations, sentences, linkOf }: MarkedText): string => {
  const marks = marksOf(answer, citations, sentences);
  const html = markdown(withMarks(answer, marks));
  let [sentence, isInLink, waiting]: [Sentence | undefined, boolean, string] = [undefined, false, ""];
  let result = "";
  let from = 0;
  const addText = (text: string) => {
    const isMarked = sentence && sentence.verdict !== "supported" && text.trim() !== "";
    result += isMarked ? `<mark class="${sentence?.verdict}">${text}</mark>` : text;
  };
  for (const { 0: whole, 1: tag, 2: number, index } of html.matchAll(TAG_OR_MARK)) {
    addText(html.slice(from, index));
    from = index + whole.length;
    if (tag !== undefined) {
      result += tag.replaceAll(ALL_MARKS, "");
      if (/^<\/?a[\s>]/.test(tag)) isInLink = tag[1] !== "/";
    }
    const mark = marks[Number(number)];
    if (mark?.kind === "start") sentence = mark.sentence;
    if (mark?.kind === "end") {
      waiting += verdictOf(mark.sentence);
      sentence = undefined;
    }
    if (mark?.citation) waiting += linkOf(mark.citation);
    // A link inside a link is not valid HTML.
    if (!isInLink) [result, waiting] = [result + waiting, ""];
  }
  addText(html.slice(from));
  return result + waiting;
};

const VERDICTS: Readonly<Record<Sentence["verdict"], string>> = {
  supported: "",
  partly: "partly supported",
  unsupported: "not supported",
};

const verdictOf = (sentence: Sentence | undefined): string => {
  const words = sentence && VERDICTS[sentence.verdict];
  return words ? ` <span class="verdict ${sentence.verdict}">${words}</span>` : "";
};

/** In the order of the text; at the same place, a sentence ends before its citations, and before the next one starts. */
const marksOf = (answer: string, citations: readonly Citation[], sentences: readonly Sentence[]): Mark[] => {
  const marks = sentences.flatMap((sentence): Mark[] => {
    const { answer_start: start, answer_end: end } = sentence;
    const text = answer.slice(start, end);
    const [sign = ""] = BLOCK_SIGN.exec(text) ?? [];
    const [rowEnd = ""] = sign.startsWith("|") ? (ROW_END.exec(text) ?? []) : [];
    return [
      { at: start + sign.length, length: 0, kind: "start", sentence },
      { at: end - rowEnd.length, length: 0, kind: "end", sentence },
    ];
  });
  const cited = citations.map((citation): Mark => {
    const { answer_start: start, answer_end: end, found_by: foundBy } = citation;
    // The model wrote a marker, which the link replaces. A found passage belongs to the whole sentence.
    return foundBy === "groundwire"
      ? { at: end, length: 0, kind: "citation", citation }
      : { at: start, length: end - start, kind: "citation", citation };
  });
  const ranks = { end: 0, citation: 1, start: 2 };
  return [...marks, ...cited].toSorted((one, other) => one.at - other.at || ranks[one.kind] - ranks[other.kind]);
};

const withMarks = (answer: string, marks: readonly Mark[]): string => {
  const text = answer.replaceAll(/[\u2FF0\u2FF1]/g, "\uFFFD");
  let [marked, from] = ["", 0];
  for (const [index, { at, length }] of marks.entries()) {
    marked += `${text.slice(from, Math.max(from, at))}${OPEN}${index}${CLOSE}`;
    from = Math.max(from, at + length);
  }
  return marked + text.slice(from);
};
