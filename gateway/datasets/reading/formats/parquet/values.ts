import type { SchemaElement, SchemaTree } from "hyparquet";
import { FORBIDDEN_NAMES, forbiddenName, problemIn } from "../../limits";
import { Unreadable } from "../../rows";
import { NumberText, parseJson } from "../json-value";
import { damaged } from "./footer";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const noText = new Unreadable("a value here is not UTF-8 text. Write it as text, or map the column to null.");
/** hyparquet returns undefined for an index beyond the dictionary. */
const notInDictionary = new Unreadable(problemIn(damaged("a value is not in its dictionary")));

/**
 * Converts a stored value of a column, which may be nested, to JSON: values with a text form become text, integers
 * beyond 2^53 keep their digits, and NaN and infinities become text. `Unreadable` for bytes that are not UTF-8, for
 * undefined, and for anything that contains such a value.
 */
export const toJson = (stored: unknown, tree: SchemaTree | undefined): unknown => {
  if (stored === undefined) return notInDictionary;
  if (stored === null || stored instanceof Unreadable || !tree) return stored;
  const { element, children } = tree;
  const [first] = children;
  if (Array.isArray(stored)) {
    const itemTree = isListLike(tree) ? (first?.children.length === 1 ? first.children[0] : first) : tree;
    return allReadable(
      stored.map((item) => toJson(item, itemTree)),
      (items) => items,
    );
  }
  if (first === undefined || stored instanceof Uint8Array) return leafToJson(logicalValue(element)(stored));
  const inner = children.map((child) => toJson(Reflect.get(Object(stored), child.element.name), child));
  return allReadable(inner, (values) =>
    isMapLike(tree)
      ? mapToJson(values[0], first)
      : Object.fromEntries(children.map((child, i) => [child.element.name, values[i]])),
  );
};

const isListLike = ({ element, children: [repeated, ...rest] }: SchemaTree): boolean =>
  (element.converted_type === "LIST" || element.logical_type?.type === "LIST") &&
  repeated?.element.repetition_type === "REPEATED" &&
  repeated.children.length <= 1 &&
  rest.length === 0;

const isMapLike = ({ element, children: [repeated, ...rest] }: SchemaTree): boolean =>
  (element.converted_type === "MAP" || element.logical_type?.type === "MAP") &&
  repeated?.element.repetition_type === "REPEATED" &&
  repeated.children.length === 2 &&
  rest.length === 0;

/** Keys of a map become the names of an object's properties. */
const mapToJson = (entries: unknown, { children: [key, value] }: SchemaTree): unknown => {
  const pairs: [string, unknown][] = [];
  for (const entry of Array.isArray(entries) ? entries : []) {
    const name = String(entry[key?.element.name ?? ""]);
    if (FORBIDDEN_NAMES.has(name)) return new Unreadable(`${forbiddenName(name)}.`);
    pairs.push([name, entry[value?.element.name ?? ""]]);
  }
  return Object.fromEntries(pairs);
};

const leafToJson = (value: unknown): unknown => {
  switch (typeof value) {
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : new NumberText(String(value));
    case "number":
      return Number.isFinite(value) ? value : String(value);
    default:
      return value instanceof Uint8Array ? decode(value) : value;
  }
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

/** Minimum memory per value: a file can contain a million empty strings in a few bytes. */
const MIN_VALUE_BYTES = 16;

/** The size in bytes of a stored value, including nested values. */
export const countBytes = (value: unknown): number => {
  if (value instanceof Uint8Array) return MIN_VALUE_BYTES + value.length;
  if (typeof value !== "object" || value === null) return MIN_VALUE_BYTES;
  return Object.values(value).reduce((sum: number, inner) => sum + countBytes(inner), MIN_VALUE_BYTES);
};

type Unit = "MILLIS" | "MICROS" | "NANOS";

/** Converts a stored value to the value of its type. */
type ToValue = (stored: unknown) => unknown;

const UNITS_PER_SECOND: Readonly<Record<Unit, bigint>> = { MILLIS: 1000n, MICROS: 1_000_000n, NANOS: 1_000_000_000n };
const SECONDS_PER_DAY = 86_400n;
/** The range of `Date`, in days before and after 1970: the years -271821 to 275760. */
const MAX_DAYS = 100_000_000n;

const noTime = new Unreadable("a value here is not a valid date or time. Correct it, or map the column to null.");

/**
 * The conversion for a column's logical type (parquet-format, LogicalTypes.md). Returns the value unchanged if it needs
 * none.
 */
const logicalValue = ({
  type,
  converted_type: converted,
  logical_type: logical,
  scale = 0,
}: SchemaElement): ToValue => {
  switch (logical?.type) {
    case "TIMESTAMP":
      return (stored) => timestamp(stored, logical.unit, logical.isAdjustedToUTC);
    case "TIME":
      return (stored) => timeOfDay(stored, logical.unit);
    case "FLOAT16":
      return (stored) => (stored instanceof Uint8Array ? float16(stored) : stored);
    case "UUID":
      return (stored) => (stored instanceof Uint8Array ? uuid(stored) : stored);
    case "DECIMAL":
      return (stored) => decimal(stored, logical.scale ?? 0);
    case "DATE":
      return date;
    case "JSON":
      return json;
  }
  switch (converted) {
    case "JSON":
      return json;
    case "DECIMAL":
      return (stored) => decimal(stored, scale);
    case "DATE":
      return date;
    case "TIME_MILLIS":
      return (stored) => timeOfDay(stored, "MILLIS");
    case "TIME_MICROS":
      return (stored) => timeOfDay(stored, "MICROS");
    // Before version 2.4, the format only had UTC times.
    case "TIMESTAMP_MILLIS":
      return (stored) => timestamp(stored, "MILLIS", true);
    case "TIMESTAMP_MICROS":
      return (stored) => timestamp(stored, "MICROS", true);
  }
  // hyparquet converts it to nanoseconds since 1970.
  if (type === "INT96") return (stored) => timestamp(stored, "NANOS", false);
  if (type === "FLOAT") return (stored) => (typeof stored === "number" ? shortest(stored, Math.fround, 6) : stored);
  const isUnsigned = logical?.type === "INTEGER" ? !logical.isSigned : converted?.startsWith("UINT_");
  if (isUnsigned && type === "INT64")
    return (stored) => (typeof stored === "bigint" ? BigInt.asUintN(64, stored) : stored);
  if (isUnsigned && type === "INT32") return (stored) => (typeof stored === "number" ? stored >>> 0 : stored);
  return (stored) => stored;
};

const toBigInt = (stored: unknown): bigint | undefined => {
  if (typeof stored === "bigint") return stored;
  return typeof stored === "number" && Number.isSafeInteger(stored) ? BigInt(stored) : undefined;
};

/** Text that is not valid JSON stays text, even in a JSON column. */
const json: ToValue = (stored) => {
  const text = stored instanceof Uint8Array ? decode(stored) : stored;
  return typeof text === "string" ? (parseJson(text).value ?? text) : text;
};

/** Converts days since 1970 to a date: `2021-01-05`. */
const date = (stored: unknown): unknown => {
  const days = toBigInt(stored);
  return days === undefined || days < -MAX_DAYS || days > MAX_DAYS ? noTime : dateOf(days);
};

const dateOf = (days: bigint): string =>
  new Date(Number(days * SECONDS_PER_DAY) * 1000).toISOString().split("T", 1)[0] ?? "";

/**
 * `17:30:00`, with the fraction unless it is zero. The UTC flag is ignored, because pyarrow sets it for every time of
 * day.
 */
const timeOfDay = (stored: unknown, unit: Unit): unknown => {
  const count = toBigInt(stored);
  if (count === undefined || count < 0n || count >= SECONDS_PER_DAY * UNITS_PER_SECOND[unit]) return noTime;
  return clock(count, unit);
};

/** `2021-01-05T17:30:00`, with the fraction unless it is zero, and `Z` unless it is a local time. */
const timestamp = (stored: unknown, unit: Unit, isUtc: boolean): unknown => {
  const count = toBigInt(stored);
  if (count === undefined) return noTime;
  const perDay = SECONDS_PER_DAY * UNITS_PER_SECOND[unit];
  const rest = ((count % perDay) + perDay) % perDay;
  const days = (count - rest) / perDay;
  if (days < -MAX_DAYS || days >= MAX_DAYS) return noTime;
  return `${dateOf(days)}T${clock(rest, unit)}${isUtc ? "Z" : ""}`;
};

/** Formats a time of day: `17:30:00.005`. A fraction has three, six or nine digits. */
const clock = (count: bigint, unit: Unit): string => {
  const perSecond = UNITS_PER_SECOND[unit];
  const seconds = Number(count / perSecond);
  const parts = [seconds / 3600, (seconds / 60) % 60, seconds % 60];
  const fraction = String(count % perSecond)
    .padStart(String(perSecond).length - 1, "0")
    .replace(/(?:000)+$/, "");
  return parts.map((part) => String(Math.floor(part)).padStart(2, "0")).join(":") + (fraction && `.${fraction}`);
};

/** All digits of the scale: `12.50`. */
const decimal = (stored: unknown, scale: number): unknown => {
  const unscaled = stored instanceof Uint8Array ? fromBytes(stored) : toBigInt(stored);
  if (unscaled === undefined || !Number.isInteger(scale) || Math.abs(scale) > MAX_DECIMAL_DIGITS) return noDecimal;
  const sign = unscaled < 0n ? "-" : "";
  const digits = String(unscaled < 0n ? -unscaled : unscaled);
  if (scale <= 0) return new NumberText(unscaled === 0n ? "0" : sign + digits + "0".repeat(-scale));
  const padded = digits.padStart(scale + 1, "0");
  return new NumberText(`${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`);
};

/**
 * Far more digits than any writer allows. Without a limit, each value of a small file could expand to a million digits.
 */
const MAX_DECIMAL_DIGITS = 1000;
const noDecimal = new Unreadable("a decimal here has more than 1,000 digits. Correct it, or map the column to null.");

/** Reads big-endian two's complement; undefined for a value with too many digits. */
const fromBytes = (bytes: Uint8Array): bigint | undefined => {
  if (bytes.length * 2 > MAX_DECIMAL_DIGITS) return undefined;
  const hex = Buffer.from(bytes).toString("hex");
  return hex === "" ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
};

/** The double with the fewest digits that rounds to this float: 0.1, not 0.10000000149011612. */
const shortest = (value: number, round: (value: number) => number, digits: number): number => {
  if (!Number.isFinite(value)) return value;
  for (let count = digits; count <= 9; count++) {
    const short = Number(value.toPrecision(count));
    if (round(short) === value) return short;
  }
  return value;
};

/** ECMAScript 2025; TypeScript has no type for it yet. */
const { f16round } = Math as unknown as { f16round(value: number): number };

const float16 = (bytes: Uint8Array): number => {
  const bits = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction > 0 ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  const value = exponent === 0 ? 2 ** -24 * fraction : 2 ** (exponent - 25) * (1024 + fraction);
  return sign * shortest(value, f16round, 1);
};

const uuid = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
