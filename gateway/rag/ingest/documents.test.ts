import { describe, expect, test } from "bun:test";
import { AppError } from "../../../lib/errors";
import {
  hasLabelledDocuments,
  listFiles,
  normalise,
  problemOfBadFile,
  type Question,
  readBadFile,
  readBadFiles,
  readFile,
  readQuestions,
} from "../../../tests/labelled-documents";
import { type ChunkPiece, chunkDocument } from "./chunk/chunk";
import { type ExtractedDocument, extractDocument } from "./extract/extract";

/** Replaces a tokenizer: one token per four characters. */
const countTokens = async (texts: string[]): Promise<number[]> => texts.map((text) => Math.ceil(text.length / 4));

interface Ingested {
  document: ExtractedDocument;
  chunks: ChunkPiece[];
}

const ingest = async (
  name: string,
  bytes: Uint8Array,
  chunkTokens: number,
  overlapTokens: number,
): Promise<Ingested> => {
  const document = await extractDocument({ name, bytes });
  const chunks = await chunkDocument(document, { chunkTokens, overlapTokens, title: document.title, countTokens });
  return { document, chunks };
};

const ingestAll = async (chunkTokens: number, overlapTokens: number): Promise<Map<string, Ingested>> => {
  const all = new Map<string, Ingested>();
  for (const name of listFiles()) all.set(name, await ingest(name, readFile(name), chunkTokens, overlapTokens));
  return all;
};

/** Why no chunk is right for a question; undefined if one is. */
const problemOf = ({ id, quote, also = [], files, page, heading }: Question, all: Map<string, Ingested>) => {
  const wanted = [quote ?? "", ...also].map(normalise);
  for (const name of files) {
    const { chunks = [], document } = all.get(name) ?? {};
    const whole = chunks.filter(({ text }) => wanted.every((each) => normalise(text).includes(each)));
    if (whole.length === 0 || !document) continue;
    if (page !== null && !whole.some((chunk) => chunk.page === page))
      return `${id}: page ${whole[0]?.page}, not ${page}`;
    if (page !== null && pageOfQuote(document, wanted[0] ?? "") !== page) return `${id}: the quote is on another page`;
    if (heading && !whole.some((chunk) => chunk.heading?.includes(heading)))
      return `${id}: heading ${whole[0]?.heading}`;
    return undefined;
  }
  return `${id}: no chunk has ${wanted.join(" + ")}`;
};

/** The last page whose start is at or before the quote. */
const pageOfQuote = ({ text, pages }: ExtractedDocument, quote: string): number =>
  pages.findLastIndex((start) => normalise(text.slice(start)).includes(quote)) + 1;

describe.skipIf(!hasLabelledDocuments)("labelled documents (not in the repository)", () => {
  // The code block of s044 is longer than 64 tokens.
  test.each([
    [64, 12, ["s044"]],
    [200, 40, []],
    [256, 40, []],
  ])(
    "every quote is complete in a chunk of %i tokens, with its page and heading",
    async (chunkTokens, overlapTokens, cut: string[]) => {
      const all = await ingestAll(chunkTokens, overlapTokens);
      const questions = readQuestions().filter(({ quote }) => quote !== null);
      const problems = questions.map((question) => problemOf(question, all)).filter((problem) => problem !== undefined);
      expect(problems.map((problem) => (cut.includes(problem.slice(0, 4)) ? problem.slice(0, 4) : problem))).toEqual(
        cut,
      );
    },
  );

  test("offsets reproduce each chunk, and no chunk exceeds a limit", async () => {
    for (const { document, chunks } of (await ingestAll(200, 40)).values()) {
      for (const { start, end, text, tokens, searchText } of chunks) {
        expect(document.text.slice(start, end)).toBe(text);
        expect(tokens).toBe(Math.ceil(searchText.length / 4));
        expect(tokens).toBeLessThanOrEqual(200);
        expect(text.length).toBeLessThanOrEqual(20_000);
      }
    }
  });

  test.each(hasLabelledDocuments ? readBadFiles().map((bad) => [bad.file, bad] as const) : [])(
    "%s has the right text or a clear error",
    async (file, bad) => {
      const outcome = await ingest(file, readBadFile(bad), 200, 40).then(
        ({ chunks }) => ({ chunks: chunks.map(({ text }) => text) }),
        (error: unknown) => {
          if (error instanceof AppError) return { error: error.message };
          throw error;
        },
      );
      expect(problemOfBadFile(bad, outcome)).toBeUndefined();
    },
  );
});
