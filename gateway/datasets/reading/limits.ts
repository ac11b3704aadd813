import type { Config } from "../../../lib/config";
import type { AppError } from "../../../lib/errors";
import { formatBytes, formatCount, type Place, tooLarge } from "./problems";

/** How much of an upload is read before it is refused. Empty lines may be as many as rows. */
export type ReadingLimits = Omit<Config["datasets"], "stallMs">;

/** Levels of lists and objects inside each other. */
export const MAX_DEPTH = 100;

/** Names that mean something else on a JavaScript object: no data may carry them. */
export const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

export const forbiddenName = (name: string): string => `the name "${name}" is not allowed: rename it`;

/** Whether the text takes more than `limit` bytes as UTF-8. */
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
