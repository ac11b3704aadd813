import { csvRecord } from "../../../lib/csv";
import type { NewSample } from "../sample-contract";
import { EXPORT_COLUMNS, guardText } from "../spreadsheet-text";
import { inPieces } from "./text-pieces";

/**
 * CSV by RFC 4180 with a header, safe to open in a spreadsheet: lists, messages and metadata are JSON, other texts are
 * guarded by `guardText`. Read again, the samples are the same with the same hashes.
 */
export const writeCsv = (samples: AsyncIterable<NewSample> | Iterable<NewSample>): AsyncGenerator<string> =>
  inPieces(toRecords(samples));

async function* toRecords(samples: AsyncIterable<NewSample> | Iterable<NewSample>): AsyncGenerator<string> {
  yield csvRecord(EXPORT_COLUMNS);
  for await (const sample of samples) yield csvRecord(EXPORT_COLUMNS.map((column) => toCell(sample[column])));
}

const toCell = (value: NewSample[keyof NewSample]): string => {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? guardText(value) : JSON.stringify(value);
};
