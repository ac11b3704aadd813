import { expect, test } from "bun:test";
import fc from "fast-check";
import { inPieces, keepWarnings, LIMITS, listRows, noWarning, plainJson } from "../../../../tests/datasets/rows";
import { readJsonl } from "./jsonl";

const read = (text: string, size = 65_536) => listRows(readJsonl(inPieces(text, size), LIMITS, noWarning));

test.each([1, 2, 3, 65_536])("rows, broken rows and empty lines are read in chunks of %d", async (size) => {
  const text = '{"a":1}\r\n\r\n{"a":[1,{"b":null}]}\n{"a":\r{"a":2} \n  \n[1]\n"x"\n{"a":3}';
  expect(await read(text, size)).toEqual([
    [1, { a: 1 }],
    [3, { a: [1, { b: null }] }],
    "4: character 6: expected a value, found the end.",
    [5, { a: 2 }],
    "7: a row must be an object, not a list.",
    '8: a row must be an object, not "x".',
    [9, { a: 3 }],
  ]);
});

test("any values are read, with their line numbers", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(plainJson, { maxLength: 5 }), fc.integer({ min: 1, max: 20 }), async (values, size) => {
      const text = values.map((a) => `${JSON.stringify({ a })}\n`).join("");
      expect(await read(text, size)).toEqual(values.map((a, i) => [i + 1, { a: JSON.parse(JSON.stringify(a)) }]));
    }),
  );
});

test("names that are special in JavaScript are rejected with their position, and change no prototype", async () => {
  expect(await read('{"a": {"__proto__": {"isAdmin": true}}}')).toEqual([
    '1: character 8: the name "__proto__" is not allowed: rename it.',
  ]);
  expect("isAdmin" in {}).toBe(false);
});

test.each([1, 100, 65_536])("a line over the limit rejects only itself, in chunks of %d", async (size) => {
  const limits = { ...LIMITS, maxRowBytes: 1024 };
  const rows = ["x".repeat(3000), "é".repeat(510), "é".repeat(500), "y".repeat(3000)].map((a) => JSON.stringify({ a }));
  const found = await listRows(readJsonl(inPieces(rows.join("\n"), size), limits, noWarning));
  expect(found).toEqual([
    "1: the row is longer than 1 KiB. Shorten it, or raise GROUNDWIRE_MAX_ROW_BYTES.",
    "2: the row is longer than 1 KiB. Shorten it, or raise GROUNDWIRE_MAX_ROW_BYTES.",
    [3, { a: "é".repeat(500) }],
    "4: the row is longer than 1 KiB. Shorten it, or raise GROUNDWIRE_MAX_ROW_BYTES.",
  ]);
});

test("JSON list syntax and the byte order marks of concatenated files are skipped", async () => {
  const { warn, warnings } = keepWarnings();
  const text = '[\n{"a":1},\n\ufeff{"a":2} , \n{"a":"},"}\n,\n  ]\nnull\n{"a":3}}\n{"a":4}';
  expect(await listRows(readJsonl(inPieces(text, 7), LIMITS, warn))).toEqual([
    [2, { a: 1 }],
    [3, { a: 2 }],
    [4, { a: "}," }],
    "7: a row must be an object, not null.",
    "8: character 8: there is more text after the end of the value.",
    [9, { a: 4 }],
  ]);
  expect(warnings.map((each) => each.slice(0, 12))).toEqual([
    "1: a bracket",
    "2: a comma a",
    "3: a comma a",
    "5: a bracket",
    "6: a bracket",
  ]);
});

test("more empty lines than the row limit are rejected", async () => {
  const limits = { ...LIMITS, maxRows: 3 };
  const rows = listRows(readJsonl(inPieces('{"a":1}\n\n\n \n\n', 100), limits, noWarning));
  await expect(rows).rejects.toThrow("Line 5: more than 3 lines are empty.");
});
