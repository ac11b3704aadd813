import { AppError } from "../../lib/errors";
import {
  type Condition,
  conditionsOf,
  isOperators,
  type MetadataFilter,
  type MetadataValue,
} from "../ports/metadata-filter";

const FIELD = /^[A-Za-z_][A-Za-z0-9_]*$/;
const COMPARISONS = { gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

/**
 * Writes a filter in Upstash's syntax (https://upstash.com/docs/vector/features/filtering); empty without conditions.
 * Throws invalid_request for what Upstash can't express: string ranges, unusual field names, values with both kinds of
 * quotes.
 */
export const upstashFilter = (filter: MetadataFilter): string =>
  [
    ...conditionsOf(filter).flatMap(([field, condition]) => conditionText(field, condition)),
    ...(filter.and ?? []).map(upstashFilter).filter((text) => text !== ""),
    ...(filter.or ? [anyOf(filter.or.map(upstashFilter))] : []),
  ]
    .filter((text) => text !== "")
    .map((text) => `(${text})`)
    .join(" AND ");

/** A filter without conditions matches everything, and so does a list that contains one. */
const anyOf = (filters: string[]): string =>
  filters.includes("") ? "" : filters.map((text) => `(${text})`).join(" OR ");

const conditionText = (field: string, condition: Condition): string[] => {
  if (!FIELD.test(field))
    reject(`The vector store can't filter on the field ${JSON.stringify(field)}. Use letters, digits and _.`);
  if (!isOperators(condition)) return [equals(field, condition)];
  const { in: list, ...ranges } = condition;
  const parts = list ? [oneOf(field, list)] : [];
  for (const [operator, operand] of Object.entries(ranges)) {
    if (typeof operand !== "number")
      reject(`The vector store compares only numbers: \`${field}.${operator}\` must be a number.`);
    parts.push(`${field} ${COMPARISONS[operator as keyof typeof COMPARISONS]} ${operand}`);
  }
  return parts;
};

/** Null values aren't stored. */
const equals = (field: string, value: MetadataValue): string =>
  value === null ? `HAS NOT FIELD ${field}` : `${field} = ${literal(value)}`;

const oneOf = (field: string, values: MetadataValue[]): string =>
  values.length === 0
    ? `HAS FIELD ${field} AND HAS NOT FIELD ${field}`
    : values.map((value) => equals(field, value)).join(" OR ");

const literal = (value: string | number | boolean): string => {
  if (typeof value !== "string") return String(value);
  if (!value.includes("'")) return `'${value}'`;
  if (!value.includes('"')) return `"${value}"`;
  return reject("The vector store can't filter on a value that has both kinds of quotes. Choose another value.");
};

const reject = (message: string): never => {
  throw new AppError("invalid_request", message, { param: "filter" });
};
