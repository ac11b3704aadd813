import { type ReadDocument, unreadable } from "./document";
import { type Block, escapeLineStarts, headingLine, joinBlocks, oneLine, pipeTable } from "./markdown";

const DELIMITERS = [",", ";", "\t", "|"];
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
  const [, declared, rest = text] = /^sep=(.)\r?\n([\s\S]*)$/i.exec(text) ?? [];
  const rows = parseCsv(rest, declared ?? delimiterOf(rest)).filter((row) => row.some((cell) => cell.trim() !== ""));
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

/** The most frequent delimiter in the first line, outside quotes. */
const delimiterOf = (text: string): string => {
  const counts = new Map(DELIMITERS.map((delimiter) => [delimiter, 0]));
  let isQuoted = false;
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (character === "\n" || character === "\r")) break;
    else if (!isQuoted && counts.has(character)) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
};

/** Parses CSV (RFC 4180). Text after a closing quote belongs to the cell; a quote that never closes is text. */
const parseCsv = (text: string, delimiter: string): string[][] => {
  const rows: string[][] = [];
  let row: string[] = [];
  const plainEnd = new RegExp(`[${delimiter === "\t" ? "\\t" : `\\${delimiter}`}\\r\\n]`, "g");
  for (let at = 0; at < text.length; ) {
    let cell = "";
    if (text[at] === '"') {
      const end = closingQuote(text, at + 1);
      if (end > 0) {
        cell = text.slice(at + 1, end).replaceAll('""', '"');
        at = end + 1;
      }
    }
    plainEnd.lastIndex = at;
    const end = plainEnd.exec(text)?.index ?? text.length;
    row.push(cell + text.slice(at, end));
    if (row.length > MAX_CELLS) {
      throw unreadable(`A row of the CSV file has more than ${MAX_CELLS} cells. Check its delimiters and quotes.`);
    }
    at = end + 1;
    if (text[end] === delimiter && end + 1 < text.length) continue;
    rows.push(row);
    row = [];
    if (text[end] === "\r" && text[at] === "\n") at++;
  }
  return rows;
};

const closingQuote = (text: string, from: number): number => {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 2)) if (text[at + 1] !== '"') return at;
  return -1;
};
