import { ownValue } from "../../../../lib/own-value";
import { invalid } from "../limits";
import { utf16Of } from "../text";
import { findValueEnd } from "./json-value";

export type FileFormat = "jsonl" | "json" | "csv" | "parquet";

const PARQUET_MAGIC = [0x50, 0x41, 0x52, 0x31];

const BY_EXTENSION: Readonly<Record<string, FileFormat>> = {
  jsonl: "jsonl",
  ndjson: "jsonl",
  json: "json",
  csv: "csv",
  tsv: "csv",
  tab: "csv",
  txt: "csv",
  parquet: "parquet",
};

const extensionOf = (fileName: string): string => /\.([a-z0-9]+)$/i.exec(fileName)?.[1]?.toLowerCase() ?? "";

/** A JSON object whose first field, `samples` or `data`, contains the rows. */
const WRAPPER = /^\{\s*"(samples|data)"\s*:\s*\[/;

/** A JSON object with a field, or a list that starts with one. No CSV header looks like this. */
const JSON_ROW = /^(?:\[\s*)?\{\s*"(?:[^"\\]|\\.)*"\s*:/;

/**
 * Detects the format of a file from its first bytes, then from its name. A `declared` format is trusted, except that
 * Parquet is checked. Throws dataset_invalid for an empty file and for unsupported file types.
 */
export const detectFormat = (head: Uint8Array, fileName: string, declared?: FileFormat): FileFormat => {
  if (head.length === 0) throw invalid("the file is empty. Upload a file with rows.");
  if (startsWith(head, PARQUET_MAGIC)) {
    if (declared === undefined || declared === "parquet") return "parquet";
    throw invalid(`the file is Parquet, not ${declared}. Set the format to parquet.`);
  }
  const [, what, todo] = SIGNATURES.find(([bytes]) => startsWith(head, bytes)) ?? [];
  if (what) throw invalid(`the file is ${what}. ${todo}`, { line: 1 });
  if (isBinary(head)) throw invalid(`the file is binary data, not text. ${media}`, { line: 1 });
  const byName = ownValue(BY_EXTENSION, extensionOf(fileName));
  if ((declared ?? byName) === "parquet") {
    throw invalid("the file is not Parquet: its first bytes are not PAR1. Check that it is the right file.");
  }
  return declared ?? textFormat(head, byName);
};

/** Files named .json often contain JSONL and vice versa, and both are also sent as .csv or .txt, so the content decides. */
const textFormat = (head: Uint8Array, byName: FileFormat | undefined): FileFormat => {
  const text = new TextDecoder(utf16Of(head) ?? "utf-8").decode(head).trimStart();
  if (byName === "csv") return JSON_ROW.test(text) ? textFormat(head, undefined) : "csv";
  if (text.startsWith("[")) return "json";
  if (!text.startsWith("{")) return byName ?? "csv";
  if (byName === "jsonl") return isSequence(text) ? "json" : "jsonl";
  if (WRAPPER.test(text)) return "json";
  const lines = text.split(/[\r\n]+/, MAX_INSPECTED_LINES);
  // The first line may be a broken row.
  const object = lines.map(parseObject).find((each) => each !== undefined);
  if (object) return Array.isArray(object.samples ?? object.data) ? "json" : "jsonl";
  return byName ?? (lines.length > 1 || isSequence(text) ? "json" : "jsonl");
};

/** Objects that span several lines, as jq prints them, or share a line. The JSON reader handles both. */
const isSequence = (text: string): boolean => {
  if (/^\{[ \t]*[\r\n]/.test(text)) return true;
  const { end, isOpen, isTooDeep } = findValueEnd(text, 0);
  return !isOpen && !isTooDeep && /^[ \t]*\{/.test(text.slice(end, end + 100));
};

const MAX_INSPECTED_LINES = 5;

const parseObject = (line: string): { samples?: unknown; data?: unknown } | undefined => {
  try {
    return line.startsWith("{") ? JSON.parse(line) : undefined;
  } catch {
    return undefined;
  }
};

type Bytes = readonly (number | undefined)[];

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));

const any = (count: number): undefined[] => new Array(count).fill(undefined);

const unpack = "Unpack it and upload the file inside.";
const asUtf8 = "Save it as UTF-8 and upload it again.";
const sheet = "Export the sheet as CSV (UTF-8) and upload that.";
const rewrite = "Write it as Parquet or JSONL and upload that.";
const dataFile = "Download the data file itself and upload that.";
const media = "Upload a file with the questions: JSONL, JSON, CSV or Parquet.";

/**
 * Unsupported file types: their first bytes, how they complete "the file is …", and what to do. The first match wins.
 */
const SIGNATURES: readonly (readonly [bytes: Bytes, what: string, todo: string])[] = [
  [[0x1f, 0x8b], "compressed with gzip", unpack],
  [[0x28, 0xb5, 0x2f, 0xfd], "compressed with zstd", unpack],
  [[0xfd, ...ascii("7zXZ")], "compressed with xz", unpack],
  [[...ascii("BZh"), undefined, ...ascii("1AY&SY")], "compressed with bzip2", unpack],
  [[0x04, 0x22, 0x4d, 0x18], "compressed with LZ4", unpack],
  [[...ascii("7z"), 0xbc, 0xaf, 0x27, 0x1c], "a 7z archive", unpack],
  [ascii("Rar!\x1a\x07"), "a RAR archive", unpack],
  [
    [...ascii("PK"), 3, 4],
    "a ZIP archive or a workbook such as .xlsx or .ods",
    `${sheet} If it is an archive, unpack it and upload the file inside.`,
  ],
  [[0xd0, 0xcf, 0x11, 0xe0], "an old Office document such as .xls", sheet],
  [ascii("{\\rtf"), "an RTF document", media],
  [ascii("%PDF-"), "a PDF document", media],
  [[0x89, ...ascii("PNG\r\n"), 0x1a], "a PNG image", media],
  [[0xff, 0xd8, 0xff], "a JPEG image", media],
  [ascii("GIF8"), "a GIF image", media],
  [[...ascii("RIFF"), ...any(4), ...ascii("WEBP")], "a WebP image", media],
  [ascii("II*\0"), "a TIFF image", media],
  [[...any(4), ...ascii("ftypheic")], "a HEIC image", media],
  [[...any(4), ...ascii("ftyp")], "a video or audio file", media],
  [[...ascii("ID3"), undefined, 0], "an MP3 file", media],
  [ascii("SQLite format 3\0"), "an SQLite database", "Export the table as CSV and upload that."],
  [ascii("ARROW1\0"), "an Arrow file", "Write it as Parquet and upload that."],
  [[...ascii("Obj"), 1], "an Avro file", rewrite],
  [[0x89, ...ascii("HDF\r\n"), 0x1a], "an HDF5 file", rewrite],
  [[0x80, undefined, 0x95], "a Python pickle", rewrite],
  [[0x93, ...ascii("NUMPY")], "a NumPy array", rewrite],
  [ascii("<!DOCTYPE html"), "a web page", dataFile],
  [ascii("<!doctype html"), "a web page", dataFile],
  [ascii("<html"), "a web page", dataFile],
  [ascii("version https://git-lfs"), "a Git LFS pointer", "Run git lfs pull and upload the file that it downloads."],
  [[0xff, 0xfe, 0, 0], "text in UTF-32", asUtf8],
  [[0, 0, 0xfe, 0xff], "text in UTF-32", asUtf8],
];

const startsWith = (head: Uint8Array, bytes: Bytes): boolean =>
  bytes.every((byte, i) => byte === undefined || head[i] === byte);

/**
 * Number of bytes inspected for control characters, and the fraction of them above which a file is considered binary.
 */
const INSPECTED_BYTES = 4096;
const MAX_CONTROL_FRACTION = 0.05;

/** Trailing zeros are ignored, and consecutive zeros count once, because programs use them as padding. */
const isBinary = (head: Uint8Array): boolean => {
  const bytes = head.subarray(0, INSPECTED_BYTES);
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  const text = bytes.subarray(0, end);
  const controls = text.filter((byte, i) => (byte === 0 ? text[i - 1] !== 0 : byte < 32 && (byte < 9 || byte > 13)));
  return !utf16Of(head) && controls.length > Math.max(1, end * MAX_CONTROL_FRACTION);
};
