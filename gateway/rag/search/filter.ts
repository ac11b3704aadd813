import { type TSchema, Type } from "@sinclair/typebox";
import { AppError } from "../../../lib/errors";
import { Strict } from "../../contract";

export type MetadataValue = string | number | boolean | null;

/** All given operators must match. Values of another type than the operand's don't match. */
export interface Operators {
  in?: MetadataValue[];
  gt?: number | string;
  gte?: number | string;
  lt?: number | string;
  lte?: number | string;
}

export type Condition = MetadataValue | Operators;

/**
 * Conditions by metadata field, all of which must match: `{"site":"north-quay","year":{"gte":2020,"lt":2025}}`. A field
 * that a chunk lacks is null. Fields called `and` and `or` can't be filtered on.
 */
export interface Filter {
  and?: Filter[];
  or?: Filter[];
  [field: string]: Condition | Filter[] | undefined;
}

const MAX_CONDITIONS = 200;

const text = Type.String({ maxLength: 2000 });
const operand = Type.Optional(Type.Union([Type.Number(), text]));
const value = Type.Union([text, Type.Number(), Type.Boolean(), Type.Null()]);
const condition = Type.Union([
  text,
  Type.Number(),
  Type.Boolean(),
  Type.Null(),
  Strict({
    in: Type.Optional(Type.Array(value, { maxItems: 1000 })),
    gt: operand,
    gte: operand,
    lt: operand,
    lte: operand,
  }),
]);

const filterOf = (inner: TSchema[], options: Record<string, unknown>) => {
  const [filters] = inner.map((filter) => Type.Optional(Type.Array(filter, { minItems: 1, maxItems: 100 })));
  return Type.Object(filters ? { and: filters, or: filters } : {}, {
    additionalProperties: condition,
    maxProperties: 64,
    ...options,
  });
};

/** On the wire. `and` and `or` nest to a depth of 3. */
export const Filter = Type.Unsafe<Filter>(
  filterOf([filterOf([filterOf([], {})], {})], {
    title: "MetadataFilter",
    description:
      "Conditions by metadata field, all of which must match: a value, `in` (a list), `gt`, `gte`, `lt`, `lte` (numbers, or strings in code unit order). `and` and `or` have lists of filters.",
    examples: [
      { site: "north-quay", year: { gte: 2020, lt: 2025 } },
      { or: [{ kind: { in: ["a", "b"] } }, { year: 2024 }] },
    ],
  }),
);

/** Throws invalid_request if evaluating the filter would take too long. */
export const checkFilter = (filter: Filter): void => {
  if (conditionsOf(filter) > MAX_CONDITIONS) {
    const message = `\`filter\` has more than ${MAX_CONDITIONS} conditions. Use \`in\` for several values of a field.`;
    throw new AppError("invalid_request", message, { param: "filter" });
  }
};

const conditionsOf = ({ and = [], or = [], ...fields }: Filter): number =>
  [...and, ...or].reduce((sum, filter) => sum + conditionsOf(filter), Object.keys(fields).length);

/** Whether a value of a chunk matches. */
export const matches = (condition: Condition, value: MetadataValue): boolean => {
  if (!isOperators(condition)) return value === condition;
  const { in: list, gt, gte, lt, lte } = condition;
  if (list && !list.includes(value)) return false;
  return (
    (gt === undefined || compare(value, gt, (a, b) => a > b)) &&
    (gte === undefined || compare(value, gte, (a, b) => a >= b)) &&
    (lt === undefined || compare(value, lt, (a, b) => a < b)) &&
    (lte === undefined || compare(value, lte, (a, b) => a <= b))
  );
};

export const isOperators = (condition: Condition): condition is Operators =>
  typeof condition === "object" && condition !== null;

type Comparable = number | string;
const compare = (
  value: MetadataValue,
  operand: Comparable,
  holds: (a: Comparable, b: Comparable) => boolean,
): boolean => typeof value === typeof operand && holds(value as Comparable, operand);
