import type { Config } from "../../../lib/config";
import { AppError } from "../../../lib/errors";
import { Garbage } from "../../../lib/garbage";
import { round } from "../../../lib/round";

/** Limits above which an upload is rejected. The row limit also applies to empty lines. */
export type ReadingLimits = Omit<Config["datasets"], "stallMs">;

const garbage = new Garbage(524_288);

/** Call this with the bytes this thread has read. They, and the values made from them, soon become garbage. */
export const noteRead = (bytes: number): void => garbage.note(bytes);

/** Maximum nesting depth of lists and objects. */
export const MAX_DEPTH = 100;

/** Names with a special meaning on JavaScript objects. Data must not use them. */
export const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

export const forbiddenName = (name: string): string => `the name "${name}" is not allowed: rename it`;

/** Whether a string takes more than `limit` bytes in UTF-8. */
export const isOverBytes = (text: string, limit: number): boolean =>
  text.length > limit || (text.length * 3 > limit && Buffer.byteLength(text) > limit);

export const rowTooLong = ({ maxRowBytes }: ReadingLimits, place: Place = {}): AppError =>
  tooLarge(`the row is longer than ${formatBytes(maxRowBytes)}. Shorten it, or raise GROUNDWIRE_MAX_ROW_BYTES.`, place);

export const tooManyRows = ({ maxRows }: ReadingLimits, place: Place = {}): AppError =>
  tooLarge(
    `the file has more than ${formatCount(maxRows)} rows. Split it, or raise GROUNDWIRE_MAX_DATASET_ROWS.`,
    place,
  );

export const tooManyEmptyLines = ({ maxRows }: ReadingLimits, line: number): AppError =>
  tooLarge(`more than ${formatCount(maxRows)} lines are empty. Is this the right file?`, { line });

/** A position in a file. Lines and characters count from 1; in Parquet, a line is a row. */
export interface Place {
  line?: number;
  column?: string;
  /** In UTF-16 code units, as editors count. */
  character?: number;
}

/** Describes a position: "Line 3, column answer, character 7". */
const describe = ({ line, column, character }: Place): string => {
  const parts = Object.entries({ line, column, character }).filter(([, at]) => at !== undefined);
  const text = parts.map(([name, at]) => `${name} ${at}`).join(", ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};

const refuse = (kind: "dataset_invalid" | "payload_too_large", message: string, place: Place = {}): AppError => {
  const { line, column = "" } = place;
  const where = describe(place);
  const sentence = where === "" ? message.charAt(0).toUpperCase() + message.slice(1) : `${where}: ${message}`;
  return new AppError(kind, sentence, {
    details: [{ path: column, message, ...(line !== undefined && { line }) }],
  });
};

/** dataset_invalid: nothing after this position can be read. */
export const invalid = (message: string, place: Place = {}): AppError => refuse("dataset_invalid", message, place);

/** payload_too_large: a limit was exceeded, and the rest is not read. */
export const tooLarge = (message: string, place: Place = {}): AppError => refuse("payload_too_large", message, place);

/** The error's message without its position. */
export const problemIn = ({ message, detail }: AppError): string => detail.details?.[0]?.message ?? message;

/** Human-readable bytes: `64 MiB`, `1.5 KiB`. */
export const formatBytes = (bytes: number): string => {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${round(value, 1)} ${units[unit]}`;
};

/** Formats a count for people: `100,000`. */
export const formatCount = (count: number): string => count.toLocaleString("en");
