import type { RagQuery } from "../../../gateway/rag/contract";
import { AppError } from "../../../lib/errors";

type Filter = NonNullable<RagQuery["filter"]>;
type Value = string | number | boolean | null;

const CONDITION = /^\s*(?<name>[^<>=]+?)\s*(?:(?<sign><=|>=|<|>|=)|\bin\b)\s*(?<value>.*?)\s*$/;
const RANGES: Readonly<Record<string, string>> = { "<": "lt", "<=": "lte", ">": "gt", ">=": "gte" };

/** "2020" is a number, "true" and "null" have their usual meaning, and text may be in quotes. */
const readValue = (text: string): Value => {
  const quoted = /^"(.*)"$|^“(.*)”$/.exec(text);
  if (quoted) return quoted[1] ?? quoted[2] ?? "";
  if (text === "true" || text === "false") return text === "true";
  if (text === "null") return null;
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
};

/**
 * Reads conditions on metadata, one per line: `site = north-quay`, `year >= 2020`, `kind in memo, letter`. Also reads a
 * filter of the API as JSON. Throws invalid_request; undefined for a blank text.
 */
export const readFilter = (text: string): Filter | undefined => {
  const given = text.trim();
  if (given === "") return undefined;
  if (given.startsWith("{")) return readJson(given);
  const conditions: Record<string, unknown> = {};
  for (const line of given.split("\n").filter((each) => each.trim() !== "")) {
    const { name, sign, value } = CONDITION.exec(line)?.groups ?? {};
    if (name === undefined || value === undefined || value === "") throw unreadable(line);
    if (sign === "=") conditions[name] = readValue(value);
    else if (sign === undefined) conditions[name] = { in: value.split(",").map((one) => readValue(one.trim())) };
    else conditions[name] = { ...(conditions[name] as object), [RANGES[sign] ?? sign]: readValue(value) };
  }
  return conditions as Filter;
};

const readJson = (text: string): Filter => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError("invalid_request", "The filter is not valid JSON. Write one condition per line instead.", {
      cause,
    });
  }
};

const unreadable = (line: string): AppError =>
  new AppError(
    "invalid_request",
    `“${line.trim()}” is not a condition. Write for example: site = north-quay, year >= 2020, or kind in memo, letter.`,
  );
