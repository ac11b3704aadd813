import { detectDelimiter } from "../../../datasets/reading/formats/csv-delimiter";
import { parseRecord } from "../../../datasets/reading/formats/csv-record";
import { type ReadDocument, unreadable } from "./document";
import { type Block, escapeLineStarts, headingLine, joinBlocks, oneLine, pipeTable } from "./markdown";

const QUESTION = /\b(?:questions?|frage|pregunta|prompt)\b|问题|^(?:q|title|topic|error|problem|issue)$/i;
const ANSWER =
  /\b(?:answers?|antwort|respuesta|réponse|reply|response|solution)\b|答案|^(?:a|resolution|text|content|body)$/i;
/** Names of columns that describe questions or answers. */
const ABOUT = /\b(?:id|no|nr|number|date|count|type)\b/i;
/** A column contains the questions if at least this fraction of its cells ends with a question mark. */
const MIN_QUESTION_SHARE = 0.5;
const MAX_CELLS = 1_000;

/**
 * Each row with a question and an answer becomes a section with the question as its heading. Other files become a table.
 * Unbalanced quotes are read as text.
 */
export const readCsv = (text: string): ReadDocument => {
  const { delimiter, declaration } = detectDelimiter(text);
  const all = parseCsv(text.slice(declaration.length), delimiter);
  const rows = all.filter((row) => row.some((cell) => cell.trim() !== ""));
  const [header] = rows;
  if (!header) throw unreadable("The CSV file has no rows. Upload a file with content.");
  const columns = columnsOf(rows);
  if (!columns) return { title: null, text: pipeTable(rows) };
  const blocks = rows.slice(columns.isNamed ? 1 : 0).flatMap((row) => sectionOf(row, columns));
  return { title: null, text: joinBlocks(blocks) };
};

interface QuestionColumns {
  names: readonly string[];
  /** Whether the first row contains the column names. */
  isNamed: boolean;
  question: number;
  answer: number;
}

/** Finds the columns of questions and answers by their names, or because most cells of one column are questions. */
const columnsOf = (rows: readonly string[][]): QuestionColumns | undefined => {
  const names = (rows[0] ?? []).map(oneLine);
  const named = (pattern: RegExp) => names.findIndex((name) => pattern.test(name) && !ABOUT.test(name));
  const [question, answer] = [named(QUESTION), named(ANSWER)];
  if (rows.length > 1 && question >= 0 && answer >= 0 && question !== answer)
    return { names, isNamed: true, question, answer };
  const isQuestion = (cell = "") => /[?？؟]\s*$/.test(cell);
  const asked = names.findIndex(
    (_, i) => rows.filter((row) => isQuestion(row[i])).length > rows.length * MIN_QUESTION_SHARE,
  );
  if (asked < 0 || names.length < 2) return undefined;
  const lengths = names.map((_, i) => (i === asked ? -1 : rows.reduce((sum, row) => sum + (row[i]?.length ?? 0), 0)));
  const isNamed = !isQuestion(names[asked]);
  return { names: isNamed ? names : [], isNamed, question: asked, answer: lengths.indexOf(Math.max(...lengths)) };
};

const sectionOf = (row: readonly string[], { names, question, answer }: QuestionColumns): Block[] => {
  const others = row.flatMap((cell, i) =>
    i === question || i === answer || cell.trim() === "" ? [] : `${names[i] ? `${names[i]}: ` : ""}${oneLine(cell)}`,
  );
  const texts = [headingLine(2, row[question] ?? ""), escapeLineStarts((row[answer] ?? "").trim()), others.join("\n")];
  return texts.filter((text) => text !== "").map((text) => ({ text }));
};

/** The records of a file. Broken quotes are text. */
const parseCsv = (text: string, delimiter: string): string[][] => {
  const rows: string[][] = [];
  const options = { delimiter: delimiter.charCodeAt(0), maxCells: MAX_CELLS, isEnd: true, isLenient: true };
  for (let at = 0; at < text.length; ) {
    const parsed = parseRecord(text, at, options);
    if (parsed.kind !== "record") {
      throw unreadable(`A row of the CSV file has more than ${MAX_CELLS} cells. Check its delimiters and quotes.`);
    }
    rows.push(parsed.cells);
    at = parsed.end;
  }
  return rows;
};
