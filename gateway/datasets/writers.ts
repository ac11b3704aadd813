import { csvRecord, guardText } from "../../lib/csv";
import { FIELDS } from "./reading/columns/fields";
import type { NewSample } from "./sample-contract";

/** Characters per piece of text. */
const PIECE_LENGTH = 65_536;

/**
 * CSV by RFC 4180 with a header, safe to open in a spreadsheet: lists, messages and metadata are JSON, other texts are
 * guarded by `guardText`. Read again, the samples are the same with the same hashes.
 */
export const writeCsv = (samples: AsyncIterable<NewSample> | Iterable<NewSample>): AsyncGenerator<string> =>
  inPieces(toRecords(samples));

async function* toRecords(samples: AsyncIterable<NewSample> | Iterable<NewSample>): AsyncGenerator<string> {
  yield csvRecord(FIELDS);
  for await (const sample of samples) yield csvRecord(FIELDS.map((column) => toCell(sample[column])));
}

const toCell = (value: NewSample[keyof NewSample]): string => {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? guardText(value) : JSON.stringify(value);
};

/** JSON Lines, one sample per line. Reading them again gives the same samples with the same hashes. */
export const writeJsonl = (samples: AsyncIterable<NewSample> | Iterable<NewSample>): AsyncGenerator<string> =>
  inPieces(toLines(samples));

async function* toLines(samples: AsyncIterable<NewSample> | Iterable<NewSample>): AsyncGenerator<string> {
  for await (const sample of samples) yield `${JSON.stringify(sample)}\n`;
}

/** Joins lines to larger pieces: sending many short ones would cost more than writing them. */
async function* inPieces(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = "";
  for await (const line of lines) {
    piece += line;
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}
