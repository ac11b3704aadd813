import { readCsv } from "../../datasets/reading/formats/csv";
import { readJson } from "../../datasets/reading/formats/json";
import { readJsonl } from "../../datasets/reading/formats/jsonl";
import type { ReadingLimits } from "../../datasets/reading/limits";
import type { RawRow, Row } from "../../datasets/reading/rows";
import type { LabelledQuestion } from "./contract";

/** The questions of a file, and the line of each, from 1. */
export interface QuestionFile {
  questions: LabelledQuestion[];
  lines: number[];
}

const QUESTION = new Set(["question", "query", "input"]);
const RELEVANT = new Set(["relevant", "document", "documents", "file", "files", "source", "sources"]);
/** Separates several documents in one cell of a CSV file. */
const SEPARATOR = ";";
const MAX_QUESTION = 10_000;
const MAX_RELEVANT = 100;

/**
 * Reads labelled questions from CSV with a header, JSON Lines or JSON. Each row has a question and the documents that
 * answer it, if any. Returns what is wrong, with its line, if a row can't be used. Throws dataset_invalid and
 * payload_too_large as the readers of datasets do.
 */
export const readQuestions = async (
  text: string,
  limits: ReadingLimits,
): Promise<QuestionFile | { problems: string[] }> => {
  const file: QuestionFile = { questions: [], lines: [] };
  const problems: string[] = [];
  const ignore = () => {};
  const [start] = text.trimStart();
  const read = start === "{" ? readJsonl : start === "[" ? readJson : readCsv;
  const isText = read === readCsv;
  for await (const row of read(only(text), limits, ignore)) {
    const found = readRow(row, isText);
    if (typeof found === "string") problems.push(`Line ${row.line}: ${found}`);
    else {
      file.questions.push(found);
      file.lines.push(row.line);
    }
  }
  return problems.length > 0 ? { problems } : file;
};

async function* only(text: string): AsyncGenerator<string> {
  yield text;
}

/** The question in a row, or what is wrong with the row. */
const readRow = (row: RawRow, isText: boolean): LabelledQuestion | string => {
  if ("problem" in row) return row.problem.message;
  const question = valueIn(row, QUESTION);
  if (question === undefined) return "the column “question” is missing. Name one column “question”.";
  if (typeof question !== "string" || question.trim() === "") return "the question is empty. Enter one.";
  if (question.length > MAX_QUESTION)
    return `the question is longer than ${MAX_QUESTION.toLocaleString("en")} characters.`;
  if (!question.isWellFormed()) return "the question has characters that can’t be read. Save the file as UTF-8.";
  const given = valueIn(row, RELEVANT);
  if (given === undefined)
    return "the column “document” is missing. Leave it blank if no document answers the question.";
  const relevant = documentsIn(given, isText);
  if (!relevant) return "“document” must contain file names or ids of documents.";
  if (relevant.length > MAX_RELEVANT) return `a question can have up to ${MAX_RELEVANT} documents.`;
  return { question: question.trim(), relevant };
};

/** The value of the first column with one of these names; undefined if there is no such column. */
const valueIn = ({ columns, values }: Row, names: ReadonlySet<string>): unknown => {
  const place = columns.findIndex((column) => names.has(column.trim().toLowerCase()));
  return place === -1 ? undefined : (values[place] ?? null);
};

/** Names of documents: a list, one name, or a cell with several names. undefined if the value is something else. */
const documentsIn = (given: unknown, isText: boolean): string[] | undefined => {
  if (given === null) return [];
  const names = typeof given === "string" && isText ? given.split(SEPARATOR) : [given].flat();
  if (!names.every((name) => typeof name === "string" && name.isWellFormed())) return undefined;
  return names.map((name) => String(name).trim()).filter((name) => name !== "");
};
