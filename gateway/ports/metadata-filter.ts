export type MetadataValue = string | number | boolean | null;
export type Metadata = Readonly<Record<string, MetadataValue>>;

/** All operators must match. A value matches only an operand of its own type. */
interface Operators {
  in?: MetadataValue[];
  gt?: number | string;
  gte?: number | string;
  lt?: number | string;
  lte?: number | string;
}

export type Condition = MetadataValue | Operators;

/**
 * Conditions by metadata field, all of which must match: `{"site":"north-quay","year":{"gte":2020,"lt":2025}}`. Missing
 * fields are null. Fields named `and` and `or` can't be filtered on.
 */
export interface MetadataFilter {
  and?: MetadataFilter[];
  or?: MetadataFilter[];
  [field: string]: Condition | MetadataFilter[] | undefined;
}

/** The field conditions of a filter, without its `and` and `or`. */
export const conditionsOf = ({
  and: _and,
  or: _or,
  ...fields
}: MetadataFilter): [field: string, condition: Condition][] => Object.entries(fields as Record<string, Condition>);

export const passes = (filter: MetadataFilter, metadata: Metadata): boolean =>
  conditionsOf(filter).every(([field, condition]) => matches(condition, metadata[field] ?? null)) &&
  (filter.and ?? []).every((each) => passes(each, metadata)) &&
  (filter.or === undefined || filter.or.some((each) => passes(each, metadata)));

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

/** Whether the condition has operators; otherwise it is a value to match. */
export const isOperators = (condition: Condition): condition is Operators =>
  typeof condition === "object" && condition !== null;

type Comparable = number | string;
const compare = (
  value: MetadataValue,
  operand: Comparable,
  holds: (a: Comparable, b: Comparable) => boolean,
): boolean => typeof value === typeof operand && holds(value as Comparable, operand);
