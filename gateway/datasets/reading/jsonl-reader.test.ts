import { expect, test } from "bun:test";
import fc from "fast-check";
import { inPieces, LIMITS, listRows, plainJson } from "../../../tests/datasets/rows";
import { readJsonl } from "./jsonl-reader";

const read = (text: string, size = 65_536) => listRows(readJsonl(inPieces(text, size), LIMITS));

test.each([1, 2, 3, 65_536])("rows, broken rows and empty lines, in pieces of %d", async (size) => {
  const text = '{"a":1}\r\n\r\n{"a":[1,{"b":null}]}\n{"a":\r{"a":2} \n  \n[1]\n"x"\n{"a":3}';
  expect(await read(text, size)).toEqual([
    [1, { a: 1 }],
    [3, { a: [1, { b: null }] }],
    "4: character 6: expected a value, found the end.",
    [5, { a: 2 }],
    "7: a row must be an object, not a list.",
    "8: a row must be an object, not x.",
    [9, { a: 3 }],
  ]);
});

test("any values come back, with the line that they stand in", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(plainJson, { maxLength: 5 }), fc.integer({ min: 1, max: 20 }), async (values, size) => {
      const text = values.map((a) => `${JSON.stringify({ a })}\n`).join("");
      expect(await read(text, size)).toEqual(values.map((a, i) => [i + 1, { a: JSON.parse(JSON.stringify(a)) }]));
    }),
  );
});

test("names that mean something to JavaScript are refused with their place, and change no object", async () => {
  expect(await read('{"a": {"__proto__": {"isAdmin": true}}}')).toEqual([
    '1: character 8: the name "__proto__" is not allowed: rename it.',
  ]);
  expect("isAdmin" in {}).toBe(false);
});

test("a line over the limit ends the reading, also one that never ends", async () => {
  const limits = { ...LIMITS, maxRowBytes: 1024 };
  async function* endless() {
    yield '{"a":1}\n{"a":"';
    for (;;) yield "x".repeat(100);
  }
  await expect(listRows(readJsonl(endless(), limits))).rejects.toThrow("Line 2: the row is longer than 1 KiB.");
  const bytes = `{"a":"${"é".repeat(510)}"}\n`;
  await expect(listRows(readJsonl(inPieces(bytes, 100), limits))).rejects.toThrow(
    "Line 1: the row is longer than 1 KiB.",
  );
  expect(await listRows(readJsonl(inPieces(`{"a":"${"é".repeat(500)}"}`, 100), limits))).toHaveLength(1);
});

test("more empty lines than rows may be are too many", async () => {
  const limits = { ...LIMITS, maxRows: 3 };
  const rows = listRows(readJsonl(inPieces('{"a":1}\n\n\n \n\n', 100), limits));
  await expect(rows).rejects.toThrow("Line 5: more than 3 lines are empty.");
});
