import { type ReadDocument, unreadable } from "./document";
import { type Block, escapeLineStarts, headingLine, joinBlocks, oneLine, pipeTable } from "./markdown";

const DELIMITERS = [",", ";", "\t", "|"];
const QUESTION = /^(questions?|q|frage|pregunta|问题|prompt|title|topic|error|problem|issue)$/i;
const ANSWER = /^(answers?|a|antwort|respuesta|réponse|答案|reply|response|solution|resolution|text|content|body)$/i;
const MAX_CELLS = 1_000;

/**
 * Rows of questions and answers become sections of their own, with the question as the heading; other rows become a table. Broken
 * quotes are read as text.
 */
export const readCsv = (text: string): ReadDocument => {
  const [, declared, rest = text] = /^sep=(.)\r?\n([\s\S]*)$/i.exec(text) ?? [];
  const rows = parseCsv(rest, declared ?? delimiterOf(rest)).filter((row) => row.some((cell) => cell.trim() !== ""));
  const [header] = rows;
  if (!header) throw unreadable("The CSV file has no rows, so there is no text in it. Upload a file with content.");
  const names = header.map(oneLine);
  const question = names.findIndex((name) => QUESTION.test(name));
  const answer = names.findIndex((name) => ANSWER.test(name));
  if (question < 0 || answer < 0 || rows.length < 2) return { title: null, text: pipeTable(rows) };
  const blocks = rows.slice(1).flatMap((row) => sectionOf(row, names, question, answer));
  return { title: null, text: joinBlocks(blocks) };
};

const sectionOf = (row: readonly string[], names: readonly string[], question: number, answer: number): Block[] => {
  const others = row.flatMap((cell, i) =>
    i === question || i === answer || cell.trim() === "" ? [] : `${names[i] ? `${names[i]}: ` : ""}${oneLine(cell)}`,
  );
  const texts = [headingLine(2, row[question] ?? ""), escapeLineStarts((row[answer] ?? "").trim()), others.join("\n")];
  return texts.filter((text) => text !== "").map((text) => ({ text }));
};

/** The most frequent one of the first line, outside quotes. */
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

/** Records of RFC 4180. Text after a closing quote belongs to the cell; a quote that never closes is text. */
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
