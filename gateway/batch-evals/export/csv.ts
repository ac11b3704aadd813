import { csvRecord, guardText } from "../../../lib/csv";
import type { Column, TableRow } from "./columns";

/** Writes rows as CSV (RFC 4180) with a header. Text is guarded, so that no spreadsheet runs it as a formula. */
export async function* writeCsv(columns: readonly Column[], rows: AsyncIterable<TableRow>): AsyncGenerator<string> {
  yield csvRecord(columns.map(({ name }) => name));
  for await (const row of rows) yield csvRecord(columns.map(({ of }) => toCell(of(row))));
}

/** Lists and objects are JSON; empty ones are empty cells, which a dataset import reads as missing. */
const toCell = (value: unknown): string => {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return guardText(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== "object") return String(value);
  return Object.keys(value).length === 0 ? "" : JSON.stringify(value);
};
