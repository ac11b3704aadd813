import { csvRecord, guardText } from "../../lib/csv";
import { toNewSample } from "./content";
import { FIELDS } from "./reading/columns/fields";
import type { NewSample, Sample } from "./sample-contract";
import type { DatasetService } from "./service";

const PIECE_LENGTH = 65_536;

/**
 * Writes CSV by RFC 4180 with a header, safe to open in a spreadsheet: lists, messages and metadata are JSON, and other
 * text is guarded by `guardText`. Reading the file gives the same samples with the same hashes.
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

/** Writes JSON Lines, one sample per line. Reading the file gives the same samples with the same hashes. */
export const writeJsonl = (samples: AsyncIterable<NewSample> | Iterable<NewSample>): AsyncGenerator<string> =>
  inPieces(toLines(samples));

async function* toLines(samples: AsyncIterable<NewSample> | Iterable<NewSample>): AsyncGenerator<string> {
  for await (const sample of samples) yield `${JSON.stringify(sample)}\n`;
}

/** Joins lines into larger pieces, because sending many short lines costs more than writing them. */
export async function* inPieces(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let piece = "";
  for await (const line of lines) {
    piece += line;
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = "";
  }
  if (piece !== "") yield piece;
}

/** A revision as a file that is written while the revision is read. Throws not_found. */
export const exportRevision = async (
  datasets: Pick<DatasetService, "export">,
  id: string,
  { format = "jsonl", revision: number }: { format?: "jsonl" | "csv"; revision?: number },
) => {
  const { dataset, revision, pages } = await datasets.export(id, number);
  const [write, mediaType] = format === "csv" ? [writeCsv, "text/csv"] : [writeJsonl, "application/jsonl"];
  // Dataset names may contain any character; ids are safe in a header.
  return { name: `${dataset}-r${revision}.${format}`, mediaType, content: write(samplesOf(pages)) };
};

async function* samplesOf(pages: AsyncIterable<Sample[]>): AsyncGenerator<NewSample> {
  for await (const page of pages) for (const sample of page) yield toNewSample(sample);
}
