import { isUtf8 } from "node:buffer";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError, toAppError } from "../../../lib/errors";
import { Nullable } from "../../contract";
import { invalidRequest } from "../../validation/problems";
import type { ScoredAnswer } from "../scored-answer";
import type { Span } from "../statistics/spans";

const COMMON = {
  id: Type.String({ minLength: 1 }),
  /** The question or source document. Rows that share it are not independent. */
  group: Type.String({ minLength: 1 }),
  answer: Type.String(),
  /** Where the row comes from. */
  source: Type.Optional(Type.String()),
  /** 1: people judged the answer correct, or faithful to its context. */
  label: Type.Union([Type.Literal(0), Type.Literal(1)]),
};

const MarkedSpan = Type.Object({
  start: Type.Integer({ minimum: 0 }),
  end: Type.Integer({ minimum: 0 }),
  text: Type.Optional(Type.String()),
});

/** A line of a file with human-labelled answers. Other fields are ignored. */
const LabelledRow = Type.Union([
  Type.Object({
    ...COMMON,
    task: Type.Literal("correctness"),
    question: Type.String(),
    references: Type.Array(Type.String(), { minItems: 1 }),
  }),
  Type.Object({
    ...COMMON,
    task: Type.Literal("faithfulness"),
    question: Nullable(Type.String()),
    context: Type.String(),
    /** Spans that annotators marked as unsupported; omitted if they marked none. */
    spans: Type.Optional(Type.Array(MarkedSpan)),
  }),
]);
export type LabelledRow = Static<typeof LabelledRow>;

/** A labelled answer as the scorers take it. */
export const answerOf = (row: LabelledRow): ScoredAnswer =>
  row.task === "correctness"
    ? { question: row.question, references: row.references, contexts: [], output: row.answer }
    : { question: row.question, references: [], contexts: [row.context], output: row.answer };

/** Converts the annotators' spans to UTF-16 offsets, which Groundwire uses everywhere. */
const convertSpans = (answer: string, spans: readonly Static<typeof MarkedSpan>[]): Span[] =>
  spans.map((given, i) => {
    const span = toUtf16(answer, given);
    const marked = span && answer.slice(span.start, span.end);
    if (span && (given.text === undefined || given.text === marked)) return { ...span, text: marked };
    throw invalid(`spans.${i} is not in the answer. Offsets count characters (Unicode code points) from 0.`);
  });

const parseRow = (line: string): LabelledRow => {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {}
  if (typeof row !== "object" || row === null || Array.isArray(row)) throw invalid("Expected a JSON object.");
  if (!Value.Check(LabelledRow, row)) throw invalidRequest(Value.Errors(LabelledRow, row));
  return row.task === "faithfulness" && row.spans ? { ...row, spans: convertSpans(row.answer, row.spans) } : row;
};

/**
 * Parses a labelled file. There is a problem, with file, line and field, for each invalid row, duplicate id, and task
 * that differs from the first row's. Blank lines are skipped.
 */
export const parseLabelledRows = (text: string, fileName: string): { rows: LabelledRow[]; problems: string[] } => {
  const rows = new Map<string, LabelledRow>();
  const problems: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    try {
      const row = parseRow(line);
      const task = rows.values().next().value?.task ?? row.task;
      if (rows.has(row.id)) throw invalid(`The id "${row.id}" is already used. Give each row a unique id.`);
      if (row.task !== task)
        throw invalid(`The task is ${row.task}; rows above have ${task}. Use one file for each task.`);
      rows.set(row.id, row);
    } catch (thrown) {
      problems.push(`${fileName}, line ${index + 1}: ${toAppError(thrown).message}`);
    }
  }
  if (rows.size + problems.length === 0) problems.push(`${fileName} has no rows.`);
  return { rows: [...rows.values()], problems };
};

export interface LabelledFile {
  /** The file name without folder and extension. */
  name: string;
  task: LabelledRow["task"];
  rows: LabelledRow[];
}

const FILE_NAME = /^(correctness|faithfulness)_.*\.jsonl$/;
/** Maximum number of problems listed in an error. The rest are counted. */
const MAX_LISTED = 50;

/**
 * Reads all labelled files of a folder, sorted by name. Throws not_found if there are none, and one dataset_invalid with
 * every problem of every file.
 */
export const readLabelledFiles = async (folder: string): Promise<LabelledFile[]> => {
  const names = await readdir(folder).catch((cause) => {
    throw new AppError("not_found", `${folder} is not a folder that can be read.`, { cause });
  });
  const labelled = names.filter((name) => FILE_NAME.test(name)).sort();
  if (labelled.length === 0) {
    const wanted = "Name a folder with correctness_*.jsonl or faithfulness_*.jsonl.";
    throw new AppError("not_found", `${folder} has no labelled files. ${wanted}`);
  }
  const problems: string[] = [];
  const files: LabelledFile[] = [];
  for (const name of labelled) {
    const bytes = await Bun.file(join(folder, name)).bytes();
    const text = new TextDecoder().decode(bytes);
    const read = isUtf8(bytes)
      ? parseLabelledRows(text, name)
      : { rows: [], problems: [`${name} is not UTF-8. Save it as UTF-8.`] };
    problems.push(...read.problems);
    files.push({ name: basename(name, ".jsonl"), task: read.rows[0]?.task ?? "correctness", rows: read.rows });
  }
  if (problems.length === 0) return files;
  const listed = problems.slice(0, MAX_LISTED).map((problem) => `  ${problem}`);
  const more = problems.length > MAX_LISTED ? [`  and ${problems.length - MAX_LISTED} more`] : [];
  const count = problems.length === 1 ? "One problem" : `${problems.length} problems`;
  const head = `${count} in the files of ${folder}. Fix the files and start again:`;
  throw invalid([head, ...listed, ...more].join("\n"));
};

const invalid = (message: string): AppError => new AppError("dataset_invalid", message);

/*
 * Label files count characters as Unicode code points. JavaScript counts UTF-16 units; characters beyond the first
 * 65,536 code points, such as emoji, take two of them.
 */

/** Undefined for a span that is outside the string or ends before it starts. */
export const toUtf16 = (text: string, { start, end }: Span): Span | undefined => {
  const characters = [...text];
  if (end < start || end > characters.length) return undefined;
  const offsetOf = (position: number) => characters.slice(0, position).join("").length;
  return { start: offsetOf(start), end: offsetOf(end) };
};

/** The reverse conversion. An offset inside a character becomes the offset of that character. */
export const toCodePoints = (text: string, { start, end }: Span): Span => ({
  start: [...text.slice(0, start)].length,
  end: [...text.slice(0, end)].length,
});
