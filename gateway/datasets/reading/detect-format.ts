import { own } from "../../../lib/own";
import { ValueEnd } from "./json-value-end";
import { invalid } from "./problems";
import { findSignature, startsWith } from "./signatures";
import { utf16Of } from "./text";

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

/** The object of a JSON file holds its rows under one of these names. */
const WRAPPER = /^\{\s*"(samples|data)"\s*:\s*\[/;

/**
 * The format of a file by its first bytes, then by its name. What is `declared` is taken as said, except that Parquet
 * has to be Parquet. Throws dataset_invalid for an empty file and for kinds that no reader takes, with what to do.
 */
export const detectFormat = (head: Uint8Array, fileName: string, declared?: FileFormat): FileFormat => {
  if (head.length === 0) throw invalid("the file is empty. Upload one that holds rows.");
  if (startsWith(head, PARQUET_MAGIC)) {
    if (declared === undefined || declared === "parquet") return "parquet";
    throw invalid(`the file is Parquet, not ${declared}. Say that its format is parquet.`);
  }
  const signature = findSignature(head);
  if (signature) throw invalid(`the file is ${signature.what}. ${signature.todo}`, { line: 1 });
  const byName = own(BY_EXTENSION, extensionOf(fileName));
  if ((declared ?? byName) === "parquet") {
    throw invalid("the file is not Parquet: its first bytes are not PAR1. Check which file it is.");
  }
  return declared ?? textFormat(head, byName);
};

/** Files named .json often hold JSONL and the other way round: between the two the content decides. */
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

/** Objects over several lines each, as jq prints them, or several on a line: the reader of JSON takes these. */
const isSequence = (text: string): boolean => {
  if (/^\{[ \t]*[\r\n]/.test(text)) return true;
  const end = new ValueEnd().find(text, 0);
  return end > 0 && /^[ \t]*\{/.test(text.slice(end, end + 100));
};

const LINES_LOOKED_AT = 5;

const parseObject = (line: string): { samples?: unknown; data?: unknown } | undefined => {
  try {
    return line.startsWith("{") ? JSON.parse(line) : undefined;
  } catch {
    return undefined;
  }
};
