import { expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { AppError } from "../../../lib/errors";
import { detectFormat, type FileFormat } from "./detect-format";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

test.each<[name: string, head: string, format: FileFormat]>([
  ["a.jsonl", '{"input":"x"}\n', "jsonl"],
  ["a.ndjson", '{"data":["x"]}\n', "jsonl"],
  ["a.json", '[{"input":"x"}]', "json"],
  ["a.json", ' \n {"samples": [\n{"input":"x"}]}', "json"],
  ["a.json", '{"version":1,"data":[{"input":"x"}]}', "json"],
  ["a.json", '{\n "version": 1,\n', "json"],
  ["a.json", '{"version":1,"data":[{"input":"x', "json"],
  ["a.json", '{"input":"x"}\n{"input":"y"}\n', "jsonl"],
  ["a.jsonl", '[{"input":"x"}]', "json"],
  ["a.csv", "question,answer\n", "csv"],
  ["a.csv", "[question],answer\n", "csv"],
  ["a.TSV", "question\tanswer\n", "csv"],
  ["upload", "question,answer\n", "csv"],
  ["a.constructor", "question,answer\n", "csv"],
  ["upload", '\xef\xbb\xbf{"input":"x"}\n', "jsonl"],
  ["upload", "PAR1\x15\x04", "parquet"],
  ["a.csv", "PAR1\x15\x04", "parquet"],
  ["a.csv", "PK,question\n1,x\n", "csv"],
])("%s with %j is %s", (name, head, format) => {
  expect(detectFormat(bytes(head), name)).toBe(format);
});

test("what is declared is believed", () => {
  expect(detectFormat(bytes('{"a":1}'), "a.jsonl", "csv")).toBe("csv");
});

const refusal = (head: Uint8Array, name: string, declared?: FileFormat): AppError => {
  try {
    detectFormat(head, name, declared);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("It was not refused.");
};

test.each<[what: string, head: Uint8Array, says: string]>([
  ["gzip", gzipSync("question\nx\n"), "compressed with gzip. Unpack it"],
  ["zstd", zstdCompressSync("question\nx\n"), "compressed with zstd. Unpack it"],
  [
    "an Excel workbook",
    bytes("PK\x03\x04\x14\x00"),
    "a zip archive, as .xlsx and .ods are inside. Export the sheet as CSV",
  ],
  ["an old Excel workbook", bytes("\xd0\xcf\x11\xe0"), "Export the sheet as CSV"],
  ["a PDF", bytes("%PDF-1.7"), "a PDF"],
  ["Arrow", bytes("ARROW1\0\0"), "Write it as Parquet"],
  ["UTF-16 LE", Buffer.from("\ufeffquestion\n", "utf16le"), "text in UTF-16. Save it as UTF-8"],
  ["UTF-16 BE", bytes("\xfe\xff\0q\0u"), "text in UTF-16. Save it as UTF-8"],
  ["UTF-16 LE without a mark", Buffer.from("question\n", "utf16le"), "text in UTF-16. Save it as UTF-8"],
  ["UTF-16 BE without a mark", bytes("\0q\0u"), "text in UTF-16. Save it as UTF-8"],
  ["UTF-32 LE", bytes("\xff\xfe\0\0q\0\0\0"), "text in UTF-32. Save it as UTF-8"],
])("%s is refused in line 1 by its name, with what to do", (_, head, says) => {
  const error = refusal(head, "a.csv");
  expect(error.kind).toBe("dataset_invalid");
  expect(error.message).toStartWith("Line 1: the file is ");
  expect(error.message).toContain(says);
  expect(error.detail.details).toMatchObject([{ line: 1 }]);
});

test("an empty file, and Parquet that is none or was called something else, are refused", () => {
  expect(refusal(new Uint8Array(), "a.csv").message).toStartWith("The file is empty.");
  expect(refusal(bytes("question\n"), "a.parquet").message).toContain("its first bytes are not PAR1");
  expect(refusal(bytes("question\n"), "a.csv", "parquet").message).toContain("its first bytes are not PAR1");
  expect(refusal(bytes("PAR1"), "a.csv", "csv").message).toContain("The file is Parquet, not csv");
});
