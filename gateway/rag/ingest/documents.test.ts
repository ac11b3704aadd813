import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { AppError } from "../../../lib/errors";
import { type ChunkPiece, chunkDocument } from "./chunk/chunk";
import { type ExtractedDocument, extractDocument } from "./extract/extract";
import { zipOf } from "./extract/test-files";

/** Labelled documents with questions, outside the repository. */
const FOLDER = join(import.meta.dir, "../../../../shared/data/documents");
const isPresent = existsSync(FOLDER);

interface Question {
  id: string;
  files: string[];
  quote: string | null;
  also?: string[];
  page: number | null;
  heading: string | null;
}

interface BadFile {
  file: string;
  expect: "error" | "text" | "either";
  must_contain: string[] | null;
  must_not_contain: string[] | null;
  says?: string;
  make?: { bytes?: number; repeat?: string; before?: string; after?: string; docx_mb?: number; part?: string };
}

const readLines = <T>(name: string): T[] =>
  readFileSync(join(FOLDER, name), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);

/** The normalisation of the data's README. */
const normalise = (text: string): string =>
  text
    .normalize("NFC")
    .replace(/[\u00ad\u200b-\u200d\u2060\ufeff]/g, "")
    .replace(/[|`*\\]/g, "")
    .replace(/\s+/g, " ")
    .replace(/(?<=[\p{sc=Han}，。、；：]) (?=[\p{sc=Han}，。、；：])/gu, "")
    .trim();

/** Stands in for a tokenizer: a token for every four characters. */
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
  const names = readdirSync(join(FOLDER, "files")).filter((name) => name !== "bad");
  const all = new Map<string, Ingested>();
  for (const name of names) {
    all.set(name, await ingest(name, readFileSync(join(FOLDER, "files", name)), chunkTokens, overlapTokens));
  }
  return all;
};

/** Why a question has no right chunk; undefined if it has one. */
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

/** The last page from whose beginning the quote is still ahead. */
const pageOfQuote = ({ text, pages }: ExtractedDocument, quote: string): number =>
  pages.findLastIndex((start) => normalise(text.slice(start)).includes(quote)) + 1;

describe.skipIf(!isPresent)("labelled documents (not in the repository)", () => {
  // The code block of s044 is longer than 64 tokens.
  test.each([
    [64, 12, ["s044"]],
    [200, 40, []],
    [256, 40, []],
  ])(
    "every quote is whole in a chunk of %i tokens, with its page and heading",
    async (chunkTokens, overlapTokens, cut: string[]) => {
      const all = await ingestAll(chunkTokens, overlapTokens);
      const questions = readLines<Question>("questions.jsonl").filter(({ quote }) => quote !== null);
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

  test.each(isPresent ? readLines<BadFile>("bad.jsonl").map((bad) => [bad.file, bad] as const) : [])(
    "%s has the right text or a clear error",
    async (file, bad) => {
      const bytes = bad.make ? makeFile(bad.make) : readFileSync(join(FOLDER, "files", file));
      const result = await ingest(file, bytes, 200, 40).catch((error: unknown) => error);
      if (result instanceof AppError) {
        expect(bad.expect).not.toBe("text");
        if (bad.says) expect(result.message).toMatch(new RegExp(bad.says, "i"));
        expect(result.message).not.toMatch(/\/tmp|\/files|Exception|\bat \w+\.|\.ts\b/);
        return;
      }
      expect(result).not.toBeInstanceOf(Error);
      expect(bad.expect).not.toBe("error");
      const { chunks } = result as Ingested;
      const text = chunks.map((chunk) => chunk.text).join("\n");
      for (const wanted of bad.must_contain ?? []) expect(normalise(text)).toContain(normalise(wanted));
      for (const banned of bad.must_not_contain ?? []) if (banned !== "") expect(text).not.toContain(banned);
      expect(Math.max(...chunks.map((chunk) => chunk.text.length))).toBeLessThanOrEqual(20_000);
    },
  );
});

const makeFile = ({
  bytes = 0,
  repeat = "",
  before = "",
  after = "",
  docx_mb = 0,
  part = "",
}: NonNullable<BadFile["make"]>) => {
  if (docx_mb === 0) {
    const count = Math.ceil(bytes / Buffer.byteLength(repeat));
    return Buffer.from(before + repeat.repeat(count) + after);
  }
  const size = docx_mb * 1_000_000;
  return zipOf([{ name: part, size, packed: deflateRawSync(Buffer.alloc(size, 32), { level: 1 }) }]);
};
