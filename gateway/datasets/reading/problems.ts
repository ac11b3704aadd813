import { AppError } from "../../../lib/errors";

/** Where something stands in a file. Lines and characters count from 1; in Parquet a line is a row. */
export interface Place {
  line?: number;
  column?: string;
  /** In UTF-16 units, as editors count. */
  character?: number;
}

/** "Line 3, column answer, character 7". */
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

/** dataset_invalid: nothing after this place can be read. */
export const invalid = (message: string, place: Place = {}): AppError => refuse("dataset_invalid", message, place);

/** payload_too_large: a limit is reached, and what is after it is not read. */
export const tooLarge = (message: string, place: Place = {}): AppError => refuse("payload_too_large", message, place);

/** The error's message without its position. */
export const problemIn = ({ message, detail }: AppError): string => detail.details?.[0]?.message ?? message;

/** Bytes for people: `64 MiB`, `1.5 KiB`. */
export const formatBytes = (bytes: number): string => {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Math.round(value * 10) / 10} ${units[unit]}`;
};

/** `100000` → `100,000`. */
export const formatCount = (count: number): string => count.toLocaleString("en");
