import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError, type ErrorDetail } from "../../../lib/errors";
import { Nullable } from "../../contract";
import { invalidRequest } from "../../validation/problems";
import type { Span } from "../statistics/spans";

const COMMON = {
  id: Type.String({ minLength: 1 }),
  /** Question or source document: rows that share it depend on each other. */
  group: Type.String({ minLength: 1 }),
  answer: Type.String(),
  /** Where the row comes from. */
  source: Type.Optional(Type.String()),
  /** 1: people found the answer correct, or faithful to its context. */
  label: Type.Union([Type.Literal(0), Type.Literal(1)]),
};

const MarkedSpan = Type.Object({
  start: Type.Integer({ minimum: 0 }),
  end: Type.Integer({ minimum: 0 }),
  text: Type.Optional(Type.String()),
});

/** A line of a file with answers labelled by people. Other fields are ignored. */
export const LabelledRow = Type.Union([
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
    /** Spans that people marked as unsupported; left out if they marked no spans. */
    spans: Type.Optional(Type.Array(MarkedSpan)),
  }),
]);
export type LabelledRow = Static<typeof LabelledRow>;

const FILE_NAME = /^(correctness|faithfulness)_.*\.jsonl$/;

/** Paths of the labelled files in a folder, sorted by name. Throws not_found if there are none, or no folder. */
const listLabelledFiles = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch((cause) => {
    throw new AppError("not_found", `${folder} is not a folder that can be read.`, { cause });
  });
  const files = names.filter((name) => FILE_NAME.test(name)).sort();
  if (files.length > 0) return files.map((name) => join(folder, name));
  throw new AppError(
    "not_found",
    `${folder} has no labelled files. Name a folder with correctness_*.jsonl or faithfulness_*.jsonl.`,
  );
};

type Refuse = (problem: string, details?: ErrorDetail[]) => AppError;

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Converts the annotators' spans to UTF-16 offsets, which Groundwire uses everywhere. */
const convertSpans = (answer: string, spans: readonly (Span & { text?: string })[], refuse: Refuse): Span[] =>
  spans.map((given, i) => {
    const span = toUtf16(answer, given);
    const marked = span && answer.slice(span.start, span.end);
    if (span && (given.text === undefined || given.text === marked)) return { ...span, text: marked };
    const message = `spans.${i} is not in the answer. Offsets count characters (Unicode code points) from 0.`;
    throw refuse(message, [{ path: `/spans/${i}`, message }]);
  });

/** Lines without their ends; the last one may lack its end. Holds one line and one chunk at a time. */
async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf("\n"); end !== -1; end = rest.indexOf("\n", start)) {
      yield rest.subarray(start, end);
      start = end + 1;
    }
    rest = rest.subarray(start);
  }
  yield rest;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

const decodeLine = (bytes: Uint8Array, refuse: Refuse): string => {
  try {
    return utf8.decode(bytes);
  } catch {
    throw refuse("The text is not UTF-8. Save the file as UTF-8.");
  }
};

const parseRow = (text: string, refuse: Refuse): LabelledRow => {
  const row = parseJson(text);
  if (typeof row !== "object" || row === null || Array.isArray(row)) throw refuse("Expected a JSON object.");
  if (!Value.Check(LabelledRow, row)) {
    const { message, detail } = invalidRequest(Value.Errors(LabelledRow, row));
    throw refuse(message, detail.details);
  }
  return row.task === "faithfulness" && row.spans
    ? { ...row, spans: convertSpans(row.answer, row.spans, refuse) }
    : row;
};

/**
 * Reads the rows of a labelled file one by one and skips blank lines. Passes a dataset_invalid, which names file, line
 * and field, to `report` for each invalid row, duplicate id and task other than the first row's, and for a file without
 * rows. Continues with the next row unless `report` throws.
 */
export async function* parseLabelledRows(
  chunks: AsyncIterable<Uint8Array>,
  fileName: string,
  report: (problem: AppError) => void,
): AsyncGenerator<LabelledRow> {
  const ids = new Set<string>();
  let task: LabelledRow["task"] | undefined;
  let line = 0;
  let problems = 0;
  const refuse: Refuse = (problem, details = []) =>
    new AppError("dataset_invalid", `${fileName}, line ${line}: ${problem}`, {
      details: details.map((detail) => ({ ...detail, line })),
    });
  /** Undefined for a blank line and for an invalid row. */
  const read = (bytes: Uint8Array): LabelledRow | undefined => {
    try {
      const text = decodeLine(bytes, refuse);
      if (text.trim() === "") return undefined;
      const row = parseRow(text, refuse);
      task ??= row.task;
      if (ids.has(row.id)) throw refuse(`The id "${row.id}" is already used. Give each row its own.`);
      if (row.task !== task)
        throw refuse(`The task is ${row.task}; rows above have ${task}. Use one file for each task.`);
      ids.add(row.id);
      return row;
    } catch (thrown) {
      problems++;
      report(thrown instanceof AppError ? thrown : refuse(String(thrown)));
      return undefined;
    }
  };
  for await (const bytes of linesOf(chunks)) {
    line++;
    const row = read(bytes);
    if (row) yield row;
  }
  if (ids.size + problems === 0) report(new AppError("dataset_invalid", `${fileName} has no rows.`));
}

export interface LabelledFile {
  /** File name without folder and extension. */
  name: string;
  task: LabelledRow["task"];
  rows: LabelledRow[];
}

/** The error lists up to this many problems and counts the rest. */
const MAX_LISTED = 50;

/** Reads all labelled files of a folder. Throws one dataset_invalid with every problem of every file. */
export const readLabelledFiles = async (folder: string): Promise<LabelledFile[]> => {
  const problems: AppError[] = [];
  const files: LabelledFile[] = [];
  for (const path of await listLabelledFiles(folder)) {
    const chunks = Bun.file(path).stream();
    const rows = await Array.fromAsync(parseLabelledRows(chunks, basename(path), (problem) => problems.push(problem)));
    const [first] = rows;
    if (first) files.push({ name: basename(path, ".jsonl"), task: first.task, rows });
  }
  const [only] = problems;
  if (only && problems.length === 1) throw only;
  if (problems.length > 0) {
    const listed = problems.slice(0, MAX_LISTED).map(({ message }) => `  ${message}`);
    const more = problems.length > MAX_LISTED ? [`  and ${problems.length - MAX_LISTED} more`] : [];
    throw new AppError(
      "dataset_invalid",
      [`${problems.length} problems in the files of ${folder}. Fix them and start again:`, ...listed, ...more].join(
        "\n",
      ),
      { details: problems.slice(0, MAX_LISTED).flatMap(({ detail }) => detail.details ?? []) },
    );
  }
  return files;
};

/*
 * Label files count characters as Unicode code points. JavaScript counts UTF-16 units; characters beyond the first
 * 65,536 code points, such as emoji, take two of them.
 */

/** UTF-16 offset of each code point of a text, and of its end. */
const offsetsOf = (text: string): number[] => {
  const offsets = [0];
  let offset = 0;
  for (const character of text) {
    offset += character.length;
    offsets.push(offset);
  }
  return offsets;
};

/** Undefined for a span that is outside the text or ends before it starts. */
export const toUtf16 = (text: string, { start, end }: Span): Span | undefined => {
  const offsets = offsetsOf(text);
  const [from, to] = [offsets[start], offsets[end]];
  return from === undefined || to === undefined || to < from ? undefined : { start: from, end: to };
};

/** Converts the other way. An offset inside a character becomes the offset of the character. */
export const toCodePoints = (text: string, { start, end }: Span): Span => ({
  start: [...text.slice(0, start)].length,
  end: [...text.slice(0, end)].length,
});
