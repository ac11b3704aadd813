import "elysia"; // Registers the formats.
import { expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import fc from "fast-check";
import { Strict } from "../../contract";
import { isOperators, type MetadataFilter, type MetadataValue, passes } from "../../ports/metadata-filter";
import { invalidRequest } from "../../validation/problems";
import { checkFilter, Filter } from "./filter";
import { MetadataColumns } from "./metadata-columns";

const CHUNKS: Record<string, MetadataValue>[] = [
  { site: "north", year: 2019, open: true },
  { site: "south", year: 2021, open: false },
  { site: "north", year: 2024 },
  { site: null, year: "2024" },
  {},
];

const columnsOf = (chunks: Record<string, MetadataValue>[]) => {
  const columns = new MetadataColumns();
  for (const [slot, metadata] of chunks.entries()) columns.set(slot, metadata);
  return columns;
};

const matching = (filter: MetadataFilter, columns = columnsOf(CHUNKS), count = CHUNKS.length): number[] => {
  const slots = new Uint8Array(count).fill(1);
  columns.keepMatching(filter, slots);
  return [...slots.keys()].filter((slot) => slots[slot] === 1);
};

test.each<[MetadataFilter, number[]]>([
  [{}, [0, 1, 2, 3, 4]],
  [{ site: "north" }, [0, 2]],
  [{ site: "north", year: 2024 }, [2]],
  [{ year: "2024" }, [3]],
  [{ open: false }, [1]],
  [{ site: null }, [3, 4]],
  [{ unknown: null }, [0, 1, 2, 3, 4]],
  [{ unknown: "x" }, []],
  [{ site: { in: ["south", null] } }, [1, 3, 4]],
  [{ site: { in: [] } }, []],
  [{ year: { gte: 2019, lt: 2024 } }, [0, 1]],
  [{ year: { gt: 2019 } }, [1, 2]],
  [{ year: { lte: "2024" } }, [3]],
  [{ or: [{ site: "south" }, { year: { gt: 2023 } }] }, [1, 2]],
  [{ site: "north", or: [{ year: 2019 }, { year: 2021 }] }, [0]],
  [{ and: [{ site: "north" }, { or: [{ open: true }, { year: 2024 }] }] }, [0, 2]],
  [{ constructor: "x" } as unknown as MetadataFilter, []],
])("%j keeps the chunks %j", (filter, slots) => {
  expect(matching(filter)).toEqual(slots);
});

test("removed chunks don't match, and replaced ones match by their new metadata", () => {
  const columns = columnsOf(CHUNKS);
  columns.remove(0);
  columns.remove(2);
  expect(matching({ site: "north" }, columns)).toEqual([]);
  columns.set(0, { site: "west", year: 2030 });
  expect(matching({ site: "west" }, columns)).toEqual([0]);
  expect(matching({ year: { gt: 2020 } }, columns)).toEqual([0, 1]);
});

const value = fc.oneof(fc.constantFrom("a", "b", "c"), fc.integer({ min: 0, max: 4 }), fc.boolean(), fc.constant(null));
const operand = fc.oneof(fc.constantFrom("a", "b", "c"), fc.integer({ min: 0, max: 4 }));
const condition = fc.oneof(
  value,
  fc.record(
    { in: fc.array(value, { maxLength: 3 }), gt: operand, lte: operand, gte: operand, lt: operand },
    { requiredKeys: [] },
  ),
);
const filter = fc.letrec<{ filter: MetadataFilter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.dictionary(fc.constantFrom("x", "y", "z"), condition, { maxKeys: 2 }) as fc.Arbitrary<MetadataFilter>,
    fc.record({ and: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }) }) as fc.Arbitrary<MetadataFilter>,
    fc.record({ or: fc.array(tie("filter"), { minLength: 1, maxLength: 3 }) }) as fc.Arbitrary<MetadataFilter>,
  ),
})).filter;

test("columns keep the same chunks as checking one by one", () => {
  const chunks = fc.array(fc.dictionary(fc.constantFrom("x", "y", "z"), value), { maxLength: 30 });
  fc.assert(
    fc.property(chunks, filter, (list, wanted) => {
      const expected = [...list.keys()].filter((slot) => passes(wanted, list[slot] ?? {}));
      expect(matching(wanted, columnsOf(list), list.length)).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

const problem = (given: unknown): string =>
  invalidRequest(Value.Errors(Strict({ filter: Filter }), { filter: given })).message;

test.each([
  [{ year: { gtt: 3 } }, "`gtt` is not a field of `filter.year`. Did you mean `gt`? Fields: in, gt, gte, lt, lte."],
  [
    { or: [{ year: { ne: 3 } }] },
    "`ne` is not a field of `filter.or.0.year`. Did you mean `in`? Fields: in, gt, gte, lt, lte.",
  ],
  [{ year: [2024] }, "filter.year must be a string, a number, true or false, null or an object, not a list."],
  [{ or: [] }, "filter.or must have at least 1 item."],
])("%j is rejected, and the error lists what is accepted", (given, message) => {
  expect(problem(given)).toBe(message);
});

test.each(CHUNKS.map((chunk) => [chunk]))("a chunk's own metadata is a valid filter: %j", (chunk) => {
  expect(Value.Check(Filter, chunk)).toBe(true);
  expect(Object.values(chunk).some((each) => isOperators(each))).toBe(false);
});

test("a filter with too many conditions is rejected, and the error suggests a shorter form", () => {
  const many: MetadataFilter = { or: Array.from({ length: 201 }, (_, year) => ({ year })) };
  expect(() => checkFilter(many)).toThrow("Use `in` for several values of a field.");
  expect(() => checkFilter({ year: { in: Array.from({ length: 500 }, (_, year) => year) } })).not.toThrow();
});
