import { CODE, isValue } from "../../evals/scorers/text/citations";
import type { Citation } from "../../retrieval-contract";
import type { Context, StoredChunk } from "./merge";

/** UTF-16 offsets. */
interface Span {
  start: number;
  end: number;
}

interface Marker extends Span {
  number: number;
}

/** A generated text whose markers all cite a context and are written as `[n]`. */
interface MarkedAnswer {
  answer: string;
  markers: Marker[];
  /** Number of removed markers, which cited no context. */
  removed: number;
}

const NUMBERS = String.raw`#?\d{1,3}(?:(?:\s?[,;&–-]\s?|\s+and\s+)#?\d{1,3}){0,20}`;
const WORD = String.raw`(?:passages?|sources?|contexts?|documents?|docs?|references?|refs?\.?)\s?[:#]?\s?`;
/** "[1]", "[1, 2]", "[^1]", "[passage 1]", "[1](https://…)", "【1†source】", "(source 1)". Code is unchanged. */
const MARKER = new RegExp(
  String.raw`${CODE}|\^?[\[【［〔]{1,2}\^?(?:${WORD})?(?<square>${NUMBERS})(?:[:†][^\[\]【】\n]{0,80})?[\]】］〕]{1,2}(?:\([^()\s]{1,300}\))?|\(${WORD}(?<round>${NUMBERS})\)`,
  "giu",
);

/** "1, 3-5" → 1, 3, 4, 5. */
const numbersIn = (text: string): number[] =>
  [...text.matchAll(/(\d+)(?:\s?[–-]\s?#?(\d+))?/g)].flatMap(([, first, last = first]) => {
    const [from, to] = [Number(first), Number(last)];
    return to >= from ? Array.from({ length: to - from + 1 }, (_, step) => from + step) : [from, to];
  });

/**
 * False for values, such as "items[1]" and "a range of [0, 1]". A single number after a space is always a marker, and so
 * is one in brackets that values don't use: "【1】".
 */
const isMarker = (text: string, start: number, end: number, numbers: readonly number[]): boolean =>
  !isValue(text, start, end) ||
  /[【［〔]/.test(text.slice(start, end)) ||
  (numbers.length === 1 && !/[\p{L}\p{N}_]$|=\s?$/u.test(text.slice(Math.max(0, start - 2), start)));

/** Rewrites every marker, in one pass. */
const rewriteMarkers = (text: string, contexts: number): MarkedAnswer => {
  const markers: Marker[] = [];
  let [answer, removed, from] = ["", 0, 0];
  for (const match of text.matchAll(MARKER)) {
    const [whole] = match;
    const numbers = numbersIn(match.groups?.square ?? match.groups?.round ?? "");
    const end = match.index + whole.length;
    if (numbers.length === 0 || !isMarker(text, match.index, end, numbers)) continue;
    const known = numbers.filter((number) => number >= 1 && number <= contexts);
    removed += numbers.length - known.length;
    answer += text.slice(from, match.index);
    from = end;
    // A removed marker leaves no space before a full stop, but one between two words.
    if (known.length === 0 && /^(?:[\s.,;:!?]|$)/.test(text.slice(end))) answer = answer.trimEnd();
    else if (known.length === 0 && /\w$/.test(answer) && /^\w/.test(text.slice(end))) answer += " ";
    for (const number of known) {
      markers.push({ number, start: answer.length, end: answer.length + `[${number}]`.length });
      answer += `[${number}]`;
    }
  }
  return { answer: answer + text.slice(from), markers, removed };
};

/** Maximum passes over an answer. Deeper nested brackets are not meaningful text. */
const MAX_PASSES = 10;

/**
 * Removes markers without a context and writes the others as `[n]`. `contexts` is the number of contexts. Repeats until
 * nothing changes, because removing a marker can join the brackets around it into a new one.
 */
export const readMarkers = (text: string, contexts: number): MarkedAnswer => {
  let [answer, removed] = [text, 0];
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const marked = rewriteMarkers(answer, contexts);
    removed += marked.removed;
    if (marked.answer === answer) return { ...marked, removed };
    answer = marked.answer;
  }
  return { answer: answer.replace(/[[\]【】［］〔〕]/g, ""), markers: [], removed };
};

/** A claim of the answer with the closest sentence of each context. */
interface Claim extends Span {
  verdict: "supported" | "partly" | "unsupported";
  /** Index of the context that supports the claim best. */
  context: number | null;
  places: readonly (Span | null)[];
}

interface Grounded {
  claims: readonly Claim[];
  questionPlaces: readonly (Span | null)[];
}

const overlap = (a: Span, b: Span): number => Math.min(a.end, b.end) - Math.max(a.start, b.start);

/** The chunk of a context that contains most of a span, and the part of the span in that chunk, in document offsets. */
export const chunkAt = ({ start, chunks }: Context, place: Span): { chunk: StoredChunk; span: Span } => {
  const wanted = { start: start + place.start, end: start + place.end };
  const chunk = chunks.reduce((best, each) => (overlap(each, wanted) > overlap(best, wanted) ? each : best));
  const span = { start: Math.max(wanted.start, chunk.start), end: Math.min(wanted.end, chunk.end) };
  return { chunk, span };
};

const pageOf = ({ pages, page }: StoredChunk, at: number): number | null =>
  pages.length === 0 ? page : Math.max(1, pages.filter((start) => start <= at).length);

const cite = (
  context: Context,
  place: Span | null | undefined,
  answerSpan: Span,
  foundBy: Citation["found_by"],
): Citation => {
  const [first] = context.chunks;
  const { chunk, span } = place ? chunkAt(context, place) : { chunk: first, span: first };
  return {
    marker: context.number,
    found_by: foundBy,
    answer_start: answerSpan.start,
    answer_end: answerSpan.end,
    chunk_id: chunk.id,
    document_id: chunk.documentId,
    document_title: chunk.documentTitle,
    document_hash: chunk.documentHash,
    start: span.start,
    end: span.end,
    quote: chunk.text.slice(span.start - chunk.start, span.end - chunk.start),
    page: pageOf(chunk, span.start),
  };
};

/** The beginning of a line, followed only by list marks and other markers. */
const LINE_START = /(?:^|\n)[\s>*•#–-]{0,20}(?:\d{1,3}[.)]\s)?(?:\[\d+\]\s?){0,20}$/;

/** The claim that a marker belongs to: the one before it, or at the beginning of a line the one after it in that line. */
const claimOf = (answer: string, marker: Marker, claims: readonly Claim[]): Claim | undefined => {
  const before = claims.findLast(({ start }) => start <= marker.start);
  if (!LINE_START.test(answer.slice(Math.max(0, marker.start - 100), marker.start))) return before;
  const behind = claims.find(({ start }) => start >= marker.end);
  return behind && !answer.slice(marker.end, behind.start).includes("\n") ? behind : before;
};

/** The citations of an answer, in order: one per marker, and one per supported claim without a marker. */
export const findCitations = (
  { answer, markers }: Pick<MarkedAnswer, "answer" | "markers">,
  contexts: readonly Context[],
  { claims, questionPlaces }: Grounded,
): Citation[] => {
  const citedBy = new Map(markers.map((marker) => [marker, claimOf(answer, marker, claims)]));
  const marked = new Set(citedBy.values());
  const byModel = markers.flatMap((marker) => {
    const context = contexts[marker.number - 1];
    const places = citedBy.get(marker)?.places ?? questionPlaces;
    return context ? [cite(context, places[marker.number - 1], marker, "model")] : [];
  });
  const byGroundwire = claims.flatMap((claim) => {
    const context = contexts[claim.context ?? -1];
    if (!context || claim.verdict !== "supported" || marked.has(claim)) return [];
    return [cite(context, claim.places[claim.context ?? -1], claim, "groundwire")];
  });
  return [...byModel, ...byGroundwire].toSorted((a, b) => a.answer_start - b.answer_start);
};

/** The cited documents without duplicates, in the order of their first citation. */
export const sourcesOf = (citations: readonly Citation[], contexts: readonly Context[]) => {
  const cited = new Set(citations.map(({ document_id }) => document_id));
  const chunks = contexts.flatMap((context) => context.chunks);
  return [...cited].flatMap((id) => {
    const chunk = chunks.find(({ documentId }) => documentId === id);
    return chunk ? [{ document_id: id, title: chunk.documentTitle, source: chunk.source }] : [];
  });
};
