import { Unreadable } from "../../rows";
import { NumberText, parseJson } from "../json-value";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** JSON text that is parsed only when its row is read: many rows may share a dictionary value. */
export class JsonBytes {
  constructor(readonly bytes: Uint8Array) {}
}

const noText = new Unreadable("a value here is not UTF-8 text. Write it as text, or map the column to null.");

/**
 * A Parquet value as JSON: bytes become text, integers beyond 2^53 keep their digits, and NaN and infinities become text.
 * `Unreadable` for bytes that are not UTF-8, and for anything that contains an unreadable value.
 */
export const toJson = (value: unknown): unknown => {
  switch (typeof value) {
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : new NumberText(String(value));
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "object":
      return value === null ? null : objectToJson(value);
    default:
      return value ?? null;
  }
};

const objectToJson = (value: object): unknown => {
  if (value instanceof Uint8Array) return decode(value);
  if (value instanceof JsonBytes) return readJson(decode(value.bytes));
  if (value instanceof NumberText || value instanceof Unreadable) return value;
  if (Array.isArray(value)) return allReadable(value.map(toJson), (items) => items);
  const names = Object.keys(value);
  return allReadable(Object.values(value).map(toJson), (items) =>
    Object.fromEntries(names.map((name, i) => [name, items[i]])),
  );
};

const allReadable = (items: unknown[], build: (items: unknown[]) => unknown): unknown =>
  items.find((item) => item instanceof Unreadable) ?? build(items);

const decode = (bytes: Uint8Array): unknown => {
  try {
    return decoder.decode(bytes);
  } catch {
    return noText;
  }
};

/** Text that is not JSON stays text, even in a JSON column. */
const readJson = (text: unknown): unknown => (typeof text === "string" ? (parseJson(text).value ?? text) : text);

/** What a value takes in memory for itself, at least: a file can hold a million empty texts in a few bytes. */
const VALUE_BYTES = 16;

/** Bytes of a value with all that is in it, as it is before its texts are decoded. */
export const countBytes = (value: unknown): number => {
  if (value instanceof Uint8Array) return VALUE_BYTES + value.length;
  if (value instanceof JsonBytes) return VALUE_BYTES + value.bytes.length;
  if (typeof value === "string") return VALUE_BYTES + value.length;
  if (typeof value !== "object" || value === null) return VALUE_BYTES;
  return Object.values(value).reduce((sum: number, inner) => sum + countBytes(inner), VALUE_BYTES);
};
