import { describe, expect, test } from "bun:test";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SchemaElement } from "hyparquet";
import { LIMITS, listRows, noWarning } from "../../../../../tests/datasets/rows";
import { typedCells } from "../../columns/cells";
import { Unreadable } from "../../rows";
import { readParquet } from "./reader";
import { toJson } from "./values";

const FIXTURES = join(import.meta.dir, "fixtures");
const rowsOf = (name: string) =>
  listRows(readParquet(openSync(join(FIXTURES, name), "r"), LIMITS, new Set(), noWarning));

describe("every type that pyarrow writes is read as the text of its value", async () => {
  const expected: Record<string, unknown> = JSON.parse(readFileSync(join(FIXTURES, "types.json"), "utf8"));
  const [[, first], [, second]] = (await rowsOf("types.parquet")) as [
    [1, Record<string, unknown>],
    [2, typeof expected],
  ];
  test.each(Object.entries(expected))("%s is %j", (name, text) => {
    const value = first[name];
    expect(typeof value === "object" ? value : typedCells.text(value)).toEqual(text);
    expect(second[name]).toBeNull();
  });

  test("INT96 is a timestamp", async () => {
    expect(await rowsOf("int96.parquet")).toEqual([[1, { int96: "2021-01-05T17:30:00.123456789" }]]);
  });
});

const bytes = (...values: number[]) => new Uint8Array(values);
type Element = Partial<SchemaElement>;
const timestamp = (unit: "MILLIS" | "MICROS" | "NANOS", isAdjustedToUTC: boolean): Element => ({
  type: "INT64",
  logical_type: { type: "TIMESTAMP", unit, isAdjustedToUTC },
});
const time = (unit: "MILLIS" | "MICROS" | "NANOS"): Element => ({
  logical_type: { type: "TIME", unit, isAdjustedToUTC: true },
});
const jsonOf = (element: Element, stored: unknown): unknown =>
  toJson(stored, { element: { name: "x", ...element } as SchemaElement, children: [], path: ["x"], count: 1 });
const decimal = (scale: number): Element => ({ converted_type: "DECIMAL", scale });

test.each<[element: Element, stored: unknown, value: unknown]>([
  [{ converted_type: "DATE" }, 0, "1970-01-01"],
  [{ converted_type: "DATE" }, -719_528, "0000-01-01"],
  [{ logical_type: { type: "DATE" } }, 2_932_896, "9999-12-31"],
  [{ converted_type: "DATE" }, 2_932_897, "+010000-01-01"],
  [{ converted_type: "TIME_MILLIS" }, 63_000_000, "17:30:00"],
  [{ converted_type: "TIME_MICROS" }, 86_399_999_999n, "23:59:59.999999"],
  [time("NANOS"), 0n, "00:00:00"],
  [time("NANOS"), 500_000_000n, "00:00:00.500"],
  [time("MICROS"), 10n, "00:00:00.000010"],
  [{ converted_type: "TIMESTAMP_MILLIS", type: "INT64" }, 0n, "1970-01-01T00:00:00Z"],
  [{ converted_type: "TIMESTAMP_MICROS", type: "INT64" }, -1n, "1969-12-31T23:59:59.999999Z"],
  [timestamp("NANOS", false), 1n, "1970-01-01T00:00:00.000000001"],
  [timestamp("MILLIS", false), 120n, "1970-01-01T00:00:00.120"],
  [timestamp("MILLIS", true), -62_135_596_800_000n, "0001-01-01T00:00:00Z"],
  [decimal(2), 1250, "12.50"],
  [decimal(2), -5n, "-0.05"],
  [decimal(0), 7, "7"],
  [decimal(-2), 7, "700"],
  [decimal(-2), 0, "0"],
  [decimal(4), bytes(0xff, 0x85), "-0.0123"],
  [decimal(2), bytes(), "0.00"],
  [decimal(1), bytes(0x7f, ...new Array(15).fill(0xff)), "17014118346046923173168730371588410572.7"],
  [{ type: "FLOAT" }, Math.fround(1e-7), "1e-7"],
  [{ type: "FLOAT" }, Math.fround(3.4e38), "3.4e+38"],
  [{ type: "FLOAT" }, Math.fround(2.5), "2.5"],
  [{ type: "FLOAT" }, -0, "0"],
  [{ type: "DOUBLE" }, 0.1 + 0.2, "0.30000000000000004"],
  [{ logical_type: { type: "FLOAT16" } }, bytes(0x55, 0x35), "0.3333"],
  [{ logical_type: { type: "FLOAT16" } }, bytes(0xff, 0x7b), "65500"],
  [{ logical_type: { type: "FLOAT16" } }, bytes(1, 0), "6e-8"],
  [{ logical_type: { type: "FLOAT16" } }, bytes(0, 0xfc), "-Infinity"],
  [{ type: "INT32", converted_type: "UINT_32" }, -1, "4294967295"],
  [{ type: "INT64", converted_type: "UINT_64" }, -1n, "18446744073709551615"],
  [{ type: "INT64", logical_type: { type: "INTEGER", bitWidth: 64, isSigned: true } }, -1n, "-1"],
  [{ type: "BYTE_ARRAY", converted_type: "ENUM" }, Buffer.from("YES"), "YES"],
  [{ type: "BYTE_ARRAY", converted_type: "JSON" }, Buffer.from("1.50"), "1.50"],
  [{ type: "BYTE_ARRAY", converted_type: "JSON" }, Buffer.from("{broken"), "{broken"],
  [{ type: "BYTE_ARRAY", converted_type: "JSON" }, Buffer.from('["a",1.0]'), '["a",1.0]'],
  [{ type: "BYTE_ARRAY", converted_type: "UTF8" }, Buffer.from("1e5"), "1e5"],
])("for the type %j, %p is read as %p", (element, stored, value) => {
  const found = jsonOf(element, stored);
  expect(Array.isArray(found) ? typedCells.scalar(found) : typedCells.text(found)).toBe(value);
});

test.each<[element: Element, stored: unknown]>([
  [{ converted_type: "DATE" }, 200_000_000],
  [{ converted_type: "TIME_MILLIS" }, -1],
  [{ converted_type: "TIME_MILLIS" }, 86_400_000],
  [{ converted_type: "TIMESTAMP_MILLIS", type: "INT64" }, 2n ** 63n - 1n],
  [decimal(5000), 1],
  [decimal(0), new Uint8Array(100_000)],
  [{ type: "BYTE_ARRAY" }, bytes(0xff, 0xfe)],
])("for the type %j, %p is unreadable", (element, stored) => {
  expect(jsonOf(element, stored)).toBeInstanceOf(Unreadable);
});
