import { expect, test } from "bun:test";
import fc from "fast-check";
import { inPieces, LIMITS, listRows } from "../../../tests/datasets/rows";
import { readCsv } from "./csv-reader";

const read = (text: string, size = 65_536, limits = LIMITS) => listRows(readCsv(inPieces(text, size), limits));

test.each([1, 2, 3, 65_536])("quotes, line breaks in cells and empty lines, in pieces of %d", async (size) => {
  const text = 'a,b\r\n1,"x, ""y""\r\nz"\r\n\r\n,\r\n"",5" pipe\r\n"2"\r\n3,4,5\r\n6,"7"';
  expect(await read(text, size)).toEqual([
    [2, { a: "1", b: 'x, "y"\r\nz' }],
    [6, { a: "", b: '5" pipe' }],
    "7: the row has 1 cell, and the header has 2.",
    "8: the row has 3 cells, and the header has 2.",
    [9, { a: "6", b: "7" }],
  ]);
});

test.each([",", ";", "\t"])("%j separates cells when the header has most of it", async (delimiter) => {
  const text = `"a,;\t,;\t"${delimiter}b${delimiter}c\n1${delimiter}2${delimiter}3\n`;
  expect(await read(text)).toEqual([[2, { "a,;\t,;\t": "1", b: "2", c: "3" }]]);
});

test.each(["\n", "\r\n", "\r"])("%j ends a row", async (lineBreak) => {
  const text = ["a,b", "1,2", '"x",', "3,4", ""].join(lineBreak);
  expect(await read(text)).toEqual([
    [2, { a: "1", b: "2" }],
    [3, { a: "x", b: "" }],
    [4, { a: "3", b: "4" }],
  ]);
});

test("whatever RFC 4180 can write is read as it was, with the lines that it stands in", async () => {
  const unit = fc.constantFrom('"', ",", ";", "\n", "\r", "\r\n", " ", "'", "é", "שלום", "\u202e", "😀", "x");
  const cell = fc.string({ unit });
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const row = fc.tuple(cell, cell).filter((cells) => cells.some((each) => each !== ""));
  await fc.assert(
    fc.asyncProperty(fc.array(row), fc.integer({ min: 1, max: 12 }), async (rows, size) => {
      const records = [["a", "b"], ...rows].map((cells) => `${cells.map(quote).join(",")}\r\n`);
      const lineOf = (index: number) =>
        records
          .slice(0, index)
          .join("")
          .split(/\r\n|\r|\n/).length;
      const expected = rows.map(([a, b], i) => [lineOf(i + 1), { a, b }]);
      expect(await read(records.join(""), size)).toEqual(expected);
    }),
  );
});

test.each([
  ['a,b\n1,2\n3,"x\ny', "Line 3, column b, character 3: a quote opens here and never closes."],
  ['a,"b\n1,2\n', "Line 1, column 2, character 3: a quote opens here and never closes."],
  ['a,b\n1,2\n"x\ny"z,2\n', "Line 4, column a, character 3: text stands behind the closing quote."],
  ["a,,b\n1,2,3\n", "Line 1, column 2: the name of a column is empty. Name it."],
  ["\n\na,b,a\n1,2,3\n", 'Line 3, column 3: the name "a" is there twice.'],
  ["a,__proto__\n1,2\n", 'Line 1, column 2: the name "__proto__" is not allowed: rename it.'],
  [`a,${"x".repeat(201)}\n1,2\n`, "Line 1, column 2: the name of a column is longer than 200 characters."],
])("%j: %s", async (text, message) => {
  for (const size of [1, 65_536]) await expect(read(text, size)).rejects.toThrow(message);
});

test("too many columns, a row over the limit and a cell that never ends are refused", async () => {
  const limits = { ...LIMITS, maxColumns: 3, maxRowBytes: 1024 };
  await expect(read("a,b,c,d\n", 100, limits)).rejects.toThrow("Line 1: there are 4 columns, and 3 at most are read.");
  await expect(read(`a\n${"é".repeat(600)}\n`, 100, limits)).rejects.toThrow("Line 2: the row is longer than 1 KiB.");
  async function* endless() {
    yield 'a,b\n1,2\n3,"';
    for (;;) yield "x\n".repeat(50);
  }
  await expect(listRows(readCsv(endless(), limits))).rejects.toThrow(
    "Line 3: the row is longer than 1 KiB. A quote opens in line 3: does it close?",
  );
});

test("more empty lines than rows may be are too many", async () => {
  const limits = { ...LIMITS, maxRows: 3 };
  await expect(read("a,b\n\n,\r\n\n\n1,2\n", 100, limits)).rejects.toThrow("Line 5: more than 3 lines are empty.");
});
