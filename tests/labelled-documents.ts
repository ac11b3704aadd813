import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { zipOf } from "../gateway/rag/ingest/extract/test-files";

/** Labelled documents with questions, outside the repository. Their README explains the fields. */
const FOLDER = join(import.meta.dir, "../../shared/data/documents");

export const hasLabelledDocuments = existsSync(FOLDER);

export interface Question {
  id: string;
  question: string;
  files: string[];
  quote: string | null;
  also?: string[];
  page: number | null;
  heading: string | null;
  filter: Record<string, string> | null;
  history: { role: string; content: string }[] | null;
}

export interface BadFile {
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

export const readQuestions = (): Question[] => readLines("questions.jsonl");

export const readBadFiles = (): BadFile[] => readLines("bad.jsonl");

/** Metadata by file name. */
export const readMetadata = (): Record<string, Record<string, string>> =>
  JSON.parse(readFileSync(join(FOLDER, "metadata.json"), "utf8"));

export const listFiles = (): string[] => readdirSync(join(FOLDER, "files")).filter((name) => name !== "bad");

export const readFile = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(join(FOLDER, "files", name)));

/** Bytes of a bad file, which is made if it is too large to keep. */
export const readBadFile = ({ file, make }: BadFile): Uint8Array<ArrayBuffer> => {
  if (!make) return readFile(file);
  const { bytes = 0, repeat = "", before = "", after = "", docx_mb = 0, part = "" } = make;
  if (docx_mb === 0) {
    const count = Math.ceil(bytes / Buffer.byteLength(repeat));
    return new Uint8Array(Buffer.from(before + repeat.repeat(count) + after));
  }
  const size = docx_mb * 1_000_000;
  return new Uint8Array(zipOf([{ name: part, size, packed: deflateRawSync(Buffer.alloc(size, 32), { level: 1 }) }]));
};

/** The normalisation of the README. */
export const normalise = (text: string): string =>
  text
    .normalize("NFC")
    .replace(/[\u00ad\u200b-\u200d\u2060\ufeff]/g, "")
    .replace(/[|`*\\]/g, "")
    .replace(/\s+/g, " ")
    .replace(/(?<=[\p{sc=Han}，。、；：]) (?=[\p{sc=Han}，。、；：])/gu, "")
    .trim();

/** The result of ingesting a bad file: its chunks, or the message of its error. */
export type Outcome = { error: string } | { chunks: readonly string[] };

/** Why a result is not the expected one; undefined if it is. */
export const problemOfBadFile = (
  { expect, says, must_contain, must_not_contain }: BadFile,
  outcome: Outcome,
): string | undefined => {
  if ("error" in outcome) {
    if (expect === "text") return `was refused: ${outcome.error}`;
    if (says && !new RegExp(says, "i").test(outcome.error)) return `has an unclear error: ${outcome.error}`;
    const isInternal = /\/tmp|\/files|Exception|\bat \w+\.|\.ts\b/.test(outcome.error);
    return isInternal ? `has an error with internals: ${outcome.error}` : undefined;
  }
  if (expect === "error") return "was ingested";
  const text = outcome.chunks.join("\n");
  const missing = must_contain?.find((wanted) => !normalise(text).includes(normalise(wanted)));
  if (missing !== undefined) return `lacks "${missing}"`;
  const banned = must_not_contain?.find((each) => each !== "" && text.includes(each));
  if (banned !== undefined) return `contains "${banned}"`;
  return outcome.chunks.some(({ length }) => length > 20_000)
    ? "has a chunk of more than 20,000 characters"
    : undefined;
};
