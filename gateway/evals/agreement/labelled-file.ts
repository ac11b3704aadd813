import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { Value } from "@sinclair/typebox/value";
import { AppError, type ErrorDetail } from "../../../lib/errors";
import { readLines } from "../../../lib/lines";
import { invalidRequest } from "../../http/validation";
import type { Span } from "../statistics/spans";
import { LabelledRow } from "./labelled-row";
import { toUtf16 } from "./offsets";

const FILE_NAME = /^(correctness|faithfulness)_.*\.jsonl$/;

/** Paths of the labelled files in a folder, by name. Throws not_found where there are none. */
export const listLabelledFiles = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch(() => []);
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

/** Spans of people with offsets in UTF-16, as everywhere in Groundwire. */
const convertSpans = (answer: string, spans: readonly (Span & { text?: string })[], refuse: Refuse): Span[] =>
  spans.map((given, i) => {
    const span = toUtf16(answer, given);
    const marked = span && answer.slice(span.start, span.end);
    if (span && (given.text === undefined || given.text === marked)) return { ...span, text: marked };
    const message = `spans.${i} is not in the answer. Offsets count characters (Unicode code points) from 0.`;
    throw refuse(message, [{ path: `/spans/${i}`, message }]);
  });

const parseRow = (text: string, refuse: Refuse): LabelledRow => {
  const row = parseJson(text);
  if (typeof row !== "object" || row === null || Array.isArray(row)) throw refuse("This is no JSON object.");
  if (!Value.Check(LabelledRow, row)) {
    const { message, detail } = invalidRequest(Value.Errors(LabelledRow, row));
    throw refuse(message, detail.details);
  }
  return row.task === "faithfulness" && row.spans
    ? { ...row, spans: convertSpans(row.answer, row.spans, refuse) }
    : row;
};

/**
 * Reads the rows of a labelled file one by one; blank lines are skipped. Throws dataset_invalid, which names file,
 * line and field, for what is not a row, for an id that comes twice, and for a file without rows.
 */
export async function* parseLabelledRows(
  chunks: AsyncIterable<Uint8Array>,
  fileName: string,
): AsyncGenerator<LabelledRow> {
  const ids = new Set<string>();
  let line = 0;
  const refuse: Refuse = (problem, details = []) =>
    new AppError("dataset_invalid", `${fileName}, line ${line}: ${problem}`, {
      details: details.map((detail) => ({ ...detail, line })),
    });
  for await (const text of readLines(chunks)) {
    line++;
    if (text.trim() === "") continue;
    const row = parseRow(text, refuse);
    if (ids.has(row.id)) throw refuse(`The id "${row.id}" came before. Give each row its own.`);
    ids.add(row.id);
    yield row;
  }
  if (ids.size === 0) throw new AppError("dataset_invalid", `${fileName} has no rows.`);
}

/** All rows of a file, as `parseLabelledRows` reads them. */
export const readLabelledFile = (path: string): Promise<LabelledRow[]> =>
  Array.fromAsync(parseLabelledRows(Bun.file(path).stream(), basename(path)));
