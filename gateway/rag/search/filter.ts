import { type TSchema, Type } from "@sinclair/typebox";
import { AppError } from "../../../lib/errors";
import { Strict } from "../../contract";
import { conditionsOf, type MetadataFilter } from "../../ports/metadata-filter";

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

/** The filter of a request. `and` and `or` nest up to 3 levels deep. */
export const Filter = Type.Unsafe<MetadataFilter>(
  filterOf([filterOf([filterOf([], {})], {})], {
    title: "MetadataFilter",
    description:
      "Conditions by metadata field, all of which must match: a value, `in` (a list), `gt`, `gte`, `lt` or `lte` (numbers, or strings in code unit order). `and` and `or` take lists of filters.",
    examples: [
      { site: "north-quay", year: { gte: 2020, lt: 2025 } },
      { or: [{ kind: { in: ["a", "b"] } }, { year: 2024 }] },
    ],
  }),
);

/** A filter without `and` and `or`, whose schema is short enough for a model's context. */
export const Conditions = Type.Unsafe<MetadataFilter>(
  filterOf([], {
    description:
      "Conditions by metadata field, all of which must match: a value, `in` (a list), `gt`, `gte`, `lt` or `lte`",
    examples: [{ site: "north-quay", year: { gte: 2020, lt: 2025 } }],
  }),
);

/** Throws invalid_request if the filter has too many conditions. */
export const checkFilter = (filter: MetadataFilter): void => {
  if (countConditions(filter) > MAX_CONDITIONS) {
    const message = `\`filter\` has more than ${MAX_CONDITIONS} conditions. Use \`in\` for several values of a field.`;
    throw new AppError("invalid_request", message, { param: "filter" });
  }
};

const countConditions = (filter: MetadataFilter): number =>
  [...(filter.and ?? []), ...(filter.or ?? [])].reduce(
    (sum, each) => sum + countConditions(each),
    conditionsOf(filter).length,
  );
