import { ownValue } from "../../../../lib/own-value";
import { invalid } from "../limits";
import { utf16Of } from "../text";
import { findValueEnd } from "./json-cursor";

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

/** A JSON object with the rows under one of these names. */
const WRAPPER = /^\{\s*"(samples|data)"\s*:\s*\[/;

/**
 * Detects the format of a file from its first bytes, then from its name. A `declared` format is trusted, except that
 * Parquet is checked. Throws dataset_invalid for an empty file and for unsupported formats, and says what to do.
 */
export const detectFormat = (head: Uint8Array, fileName: string, declared?: FileFormat): FileFormat => {
  if (head.length === 0) throw invalid("the file is empty. Upload one that has rows.");
  if (startsWith(head, PARQUET_MAGIC)) {
    if (declared === undefined || declared === "parquet") return "parquet";
    throw invalid(`the file is Parquet, not ${declared}. Say that its format is parquet.`);
  }
  const signature = findSignature(head);
  if (signature) throw invalid(`the file is ${signature.what}. ${signature.todo}`, { line: 1 });
  const byName = ownValue(BY_EXTENSION, extensionOf(fileName));
  if ((declared ?? byName) === "parquet") {
    throw invalid("the file is not Parquet: its first bytes are not PAR1. Check which file it is.");
  }
  return declared ?? textFormat(head, byName);
};

/** Files named .json often contain JSONL and vice versa, so the content decides between the two. */
const textFormat = (head: Uint8Array, byName: FileFormat | undefined): FileFormat => {
  const text = new TextDecoder(utf16Of(head) ?? "utf-8").decode(head).trimStart();
  if (byName === "csv") return "csv";
  if (text.startsWith("[")) return "json";
  if (!text.startsWith("{")) return byName ?? "csv";
  if (byName === "jsonl") return isSequence(text) ? "json" : "jsonl";
  if (WRAPPER.test(text)) return "json";
  const lines = text.split(/[\r\n]+/, LINES_LOOKED_AT);
  // The first line may be a broken row.
  const object = lines.map(parseObject).find((each) => each !== undefined);
  if (object) return Array.isArray(object.samples ?? object.data) ? "json" : "jsonl";
  return byName ?? (lines.length > 1 ? "json" : "jsonl");
};

/** Objects that span several lines, as jq prints them, or several per line: the JSON reader handles these. */
const isSequence = (text: string): boolean => {
  if (/^\{[ \t]*[\r\n]/.test(text)) return true;
  const { end, isOpen, isTooDeep } = findValueEnd(text, 0);
  return !isOpen && !isTooDeep && /^[ \t]*\{/.test(text.slice(end, end + 100));
};

const LINES_LOOKED_AT = 5;

const parseObject = (line: string): { samples?: unknown; data?: unknown } | undefined => {
  try {
    return line.startsWith("{") ? JSON.parse(line) : undefined;
  } catch {
    return undefined;
  }
};

/** Unsupported file types by their first bytes. The first match wins. */
interface Signature {
  /** undefined: any byte. */
  bytes: readonly (number | undefined)[];
  /** Completes "The file is …". */
  what: string;
  todo: string;
}

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));

const any = (count: number): undefined[] => new Array(count).fill(undefined);

const unpack = "Unpack it and upload the file inside.";
const asUtf8 = "Save it as UTF-8 and upload it again.";
const sheet = "Export the sheet as CSV (UTF-8) and upload that.";

const media = "Upload the file that holds the questions: JSONL, JSON, CSV or Parquet.";

const SIGNATURES: readonly Signature[] = [
  { bytes: [0x1f, 0x8b], what: "compressed with gzip", todo: unpack },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: "compressed with zstd", todo: unpack },
  { bytes: [0xfd, ...ascii("7zXZ")], what: "compressed with xz", todo: unpack },
  { bytes: [...ascii("BZh"), undefined, ...ascii("1AY&SY")], what: "compressed with bzip2", todo: unpack },
  { bytes: [0x04, 0x22, 0x4d, 0x18], what: "compressed with LZ4", todo: unpack },
  { bytes: [...ascii("7z"), 0xbc, 0xaf, 0x27, 0x1c], what: "a 7z archive", todo: unpack },
  { bytes: ascii("Rar!\x1a\x07"), what: "a RAR archive", todo: unpack },
  {
    bytes: [...ascii("PK"), 3, 4],
    what: "a ZIP archive, or a workbook such as .xlsx or .ods, which is one inside",
    todo: `${sheet} If it is another archive, unpack it and upload what is inside.`,
  },
  { bytes: [...ascii("PK"), 5, 6], what: "an empty ZIP archive", todo: media },
  { bytes: [0xd0, 0xcf, 0x11, 0xe0], what: "an old Office document such as .xls", todo: sheet },
  { bytes: ascii("{\\rtf"), what: "an RTF document", todo: media },
  { bytes: ascii("%PDF-"), what: "a PDF document", todo: media },
  { bytes: [0x89, ...ascii("PNG\r\n"), 0x1a], what: "a PNG image", todo: media },
  { bytes: [0xff, 0xd8, 0xff], what: "a JPEG image", todo: media },
  { bytes: ascii("GIF87a"), what: "a GIF image", todo: media },
  { bytes: ascii("GIF89a"), what: "a GIF image", todo: media },
  { bytes: [...ascii("RIFF"), ...any(4), ...ascii("WEBP")], what: "a WebP image", todo: media },
  { bytes: [...ascii("RIFF"), ...any(4), ...ascii("WAVE")], what: "a WAV recording", todo: media },
  { bytes: [...ascii("BM"), ...any(4), 0, 0, 0, 0], what: "a BMP image", todo: media },
  { bytes: ascii("II*\0"), what: "a TIFF image", todo: media },
  { bytes: ascii("MM\0*"), what: "a TIFF image", todo: media },
  { bytes: [...any(4), ...ascii("ftypheic")], what: "a HEIC image", todo: media },
  { bytes: [...any(4), ...ascii("ftypavif")], what: "an AVIF image", todo: media },
  { bytes: [...any(4), ...ascii("ftyp")], what: "a video or recording", todo: media },
  { bytes: [...ascii("ID3"), undefined, 0], what: "an MP3 recording", todo: media },
  { bytes: ascii("OggS"), what: "an Ogg recording", todo: media },
  { bytes: [0x7f, ...ascii("ELF")], what: "a program", todo: media },
  { bytes: ascii("SQLite format 3\0"), what: "an SQLite database", todo: "Export the table as CSV and upload that." },
  { bytes: ascii("ARROW1\0"), what: "an Arrow file", todo: "Write it as Parquet and upload that." },
  { bytes: [...ascii("Obj"), 1], what: "an Avro file", todo: "Write it as Parquet or JSONL and upload that." },
  {
    bytes: [0x89, ...ascii("HDF\r\n"), 0x1a],
    what: "an HDF5 file",
    todo: "Write it as Parquet or JSONL and upload that.",
  },
  { bytes: [0x80, undefined, 0x95], what: "a Python pickle", todo: "Write it as Parquet or JSONL and upload that." },
  { bytes: [0x93, ...ascii("NUMPY")], what: "a NumPy array", todo: "Write it as Parquet or JSONL and upload that." },
  { bytes: ascii("<!DOCTYPE html"), what: "a web page", todo: "Download the data file itself and upload that." },
  { bytes: ascii("<!doctype html"), what: "a web page", todo: "Download the data file itself and upload that." },
  { bytes: ascii("<html"), what: "a web page", todo: "Download the data file itself and upload that." },
  {
    bytes: ascii("version https://git-lfs"),
    what: "a Git LFS pointer",
    todo: "Run git lfs pull and upload the file that it downloads.",
  },
  { bytes: [0xff, 0xfe, 0, 0], what: "text in UTF-32", todo: asUtf8 },
  { bytes: [0, 0, 0xfe, 0xff], what: "text in UTF-32", todo: asUtf8 },
];

const startsWith = (head: Uint8Array, bytes: Signature["bytes"]): boolean =>
  bytes.every((byte, i) => byte === undefined || head[i] === byte);

/** The format of the file, if it is not supported. */
const findSignature = (head: Uint8Array): Signature | undefined =>
  SIGNATURES.find(({ bytes }) => startsWith(head, bytes)) ?? (isBinary(head) ? BINARY : undefined);

const BINARY: Signature = { bytes: [], what: "binary data, not text", todo: media };
/** Bytes inspected, and the share of control characters above which a file is binary. */
const LOOKED_AT = 4096;
const MAX_CONTROL_SHARE = 0.05;

/** Trailing zeros don't count, and consecutive zeros count once, because programs use them as padding. */
const isBinary = (head: Uint8Array): boolean => {
  const bytes = head.subarray(0, LOOKED_AT);
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  const text = bytes.subarray(0, end);
  const controls = text.filter((byte, i) => (byte === 0 ? text[i - 1] !== 0 : byte < 32 && (byte < 9 || byte > 13)));
  return !utf16Of(head) && controls.length > Math.max(1, end * MAX_CONTROL_SHARE);
};
