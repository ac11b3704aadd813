import { expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { AppError } from "../../../../lib/errors";
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
  ["a.jsonl", '{\n  "input": "x"\n}\n{\n  "input": "y"\n}\n', "json"],
  ["a.jsonl", '{"input":"x"}{"input":"y"}', "json"],
  ["a.jsonl", '{"input":"x}{"}\n{"input":"y"}', "jsonl"],
  ["a.jsonl", '{"input":"x}\n{"input":"y"}\n', "jsonl"],
  ["a.json", '{"input":"x"}{"input":"y"}', "json"],
  ["a.csv", "question,answer\n", "csv"],
  ["a.csv", "[question],answer\n", "csv"],
  ["a.TSV", "question\tanswer\n", "csv"],
  ["upload", "question,answer\n", "csv"],
  ["a.constructor", "question,answer\n", "csv"],
  ["upload", '\xef\xbb\xbf{"input":"x"}\n', "jsonl"],
  ["upload", "PAR1\x15\x04", "parquet"],
  ["a.csv", "PAR1\x15\x04", "parquet"],
  ["a.csv", "PK,question\n1,x\n", "csv"],
  ["a.csv", '[{"id":"1","input":"x"}]', "json"],
  ["a.txt", '\xef\xbb\xbf[\n  {"input":"x"},\n', "json"],
  ["a.tsv", '{"samples": [{"input":"x"}]}', "json"],
  ["a.csv", '{\n  "input": "x"\n}\n{\n', "json"],
  ["a.txt", '{"input":"x"}{"input":"y"}', "json"],
  ["a.csv", '{"input":"x"}\n{"input":"y"}\n', "jsonl"],
  ["a.txt", '{"input":"x"', "jsonl"],
  ["a.txt", '[\0{\0"\0a\0"\0:\0', "json"],
  ["a.csv", "{question},answer\n", "csv"],
  ["a.csv", '{"question",answer\n', "csv"],
  ["a.csv", '[{"question"}],answer\n', "csv"],
  ["a.txt", '["question","answer"]\n', "csv"],
  // The first line may be the broken one.
  ["a.json", '{"input":"x"\n{"input":"y"}\n', "jsonl"],
  ["a.csv", "q,a\nb,c\n\0\0\0\0d,e\n", "csv"],
  ["a.csv", "q,a\r\nb,c\r\n\0\0\0\0\r\n", "csv"],
  ["a.txt", "\0q\0,\0a\0\n", "csv"],
  ["a.json", "\xff\xfe[\0{\0}\0]\0", "json"],
  ["a.jsonl", "{\0}\0\n\0", "jsonl"],
  // Text that begins like another file type, and text followed by zeros.
  ["a.csv", "ID3 tag,question\n", "csv"],
  ["a.csv", "BM25,question\n", "csv"],
  ["a.csv", "GIF,question\n", "csv"],
  ["a.csv", "RIFF,question\n", "csv"],
  ["a.csv", `q,a\n1,2\n${"\0".repeat(500)}`, "csv"],
  ["a.csv", "sep=;\nq;a\n", "csv"],
])("a file %s that starts with %j is %s", (name, head, format) => {
  expect(detectFormat(bytes(head), name)).toBe(format);
});

test("a declared format is used", () => {
  expect(detectFormat(bytes('{"a":1}'), "a.jsonl", "csv")).toBe("csv");
});

const refusal = (head: Uint8Array, name: string, declared?: FileFormat): AppError => {
  try {
    detectFormat(head, name, declared);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("It was not rejected.");
};

test.each<[what: string, head: Uint8Array, says: string]>([
  ["gzip", gzipSync("question\nx\n"), "compressed with gzip. Unpack it"],
  ["zstd", zstdCompressSync("question\nx\n"), "compressed with zstd. Unpack it"],
  [
    "an Excel workbook",
    bytes("PK\x03\x04\x14\x00"),
    "a ZIP archive or a workbook such as .xlsx or .ods. Export the sheet as CSV",
  ],
  ["an old Excel workbook", bytes("\xd0\xcf\x11\xe0"), "Export the sheet as CSV"],
  ["a PDF", bytes("%PDF-1.7"), "a PDF"],
  ["Arrow", bytes("ARROW1\0\0"), "Write it as Parquet"],
  ["a PNG", bytes("\x89PNG\r\n\x1a\n\0\0"), "a PNG image. Upload a file with the questions"],
  ["a JPEG", bytes("\xff\xd8\xff\xe0\0\x10JFIF"), "a JPEG image"],
  ["a GIF", bytes("GIF89a\x01\0"), "a GIF image"],
  ["a WebP", bytes("RIFF\x24\0\0\0WEBPVP8 "), "a WebP image"],
  ["a TIFF", bytes("II*\0\x08\0"), "a TIFF image"],
  ["a video", bytes("\0\0\0\x18ftypmp42"), "a video or audio file"],
  ["a HEIC photo", bytes("\0\0\0\x18ftypheic"), "a HEIC image"],
  ["an MP3", bytes("ID3\x04\0\0"), "an MP3 file"],
  ["RTF", bytes("{\\rtf1\\ansi"), "an RTF document"],
  ["a RAR archive", bytes("Rar!\x1a\x07\0"), "a RAR archive"],
  ["a pickle", bytes("\x80\x04\x95\x10"), "a Python pickle"],
  ["NumPy", bytes("\x93NUMPY\x01"), "a NumPy array"],
  ["HDF5", bytes("\x89HDF\r\n\x1a\n"), "an HDF5 file"],
  ["SQLite", bytes("SQLite format 3\0"), "an SQLite database"],
  ["a web page", bytes("<!DOCTYPE html><html>"), "a web page"],
  ["Git LFS", bytes("version https://git-lfs.github.com/spec/v1\n"), "a Git LFS pointer"],
  ["anything else", bytes("\x01\x02\x03\x04abc\x05\x06"), "binary data, not text"],
  ["UTF-32 LE", bytes("\xff\xfe\0\0q\0\0\0"), "text in UTF-32. Save it as UTF-8"],
])("%s is rejected: the error names the file type and says what to do", (_, head, says) => {
  const error = refusal(head, "a.csv");
  expect(error.kind).toBe("dataset_invalid");
  expect(error.message).toStartWith("Line 1: the file is ");
  expect(error.message).toContain(says);
  expect(error.detail.details).toMatchObject([{ line: 1 }]);
});

test("an empty file, a file that is wrongly called Parquet, and Parquet with another declared format are rejected", () => {
  expect(refusal(new Uint8Array(), "a.csv").message).toStartWith("The file is empty.");
  expect(refusal(bytes("question\n"), "a.parquet").message).toContain("its first bytes are not PAR1");
  expect(refusal(bytes("question\n"), "a.csv", "parquet").message).toContain("its first bytes are not PAR1");
  expect(refusal(bytes("PAR1"), "a.csv", "csv").message).toContain("The file is Parquet, not csv");
});
