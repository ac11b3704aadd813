import { expect, test } from "bun:test";
import fc from "fast-check";
import { inPieces, LIMITS, listRows, plainJson } from "../../../tests/datasets/rows";
import { readJson } from "./json-reader";

const read = (text: string, size = 65_536, limits = LIMITS) => listRows(readJson(inPieces(text, size), limits));

test.each([1, 2, 3, 65_536])("a list of objects, one over several lines, in pieces of %d", async (size) => {
  const text = ' [\n{"a": "]}\\"", "b": [1, {}]}, {\n  "a": 2\n}\r\n,\n{"a": tru},\n12, "x", null ]\n';
  expect(await read(text, size)).toEqual([
    [2, { a: ']}"', b: [1, {}] }],
    [2, { a: 2 }],
    '6: character 7: expected a value, found "t".',
    "7: a row must be an object, not 12.",
    "7: a row must be an object, not x.",
    "7: a row must be an object, not null.",
  ]);
});

test.each(["samples", "data"])("an object that holds the rows as %s, whatever else it holds", async (name) => {
  const text = `{"version": 1.0, "about": {"data": [1], "x": "}"}, "${name}": [{"a": 1}, {"a": 2}], "end": []}`;
  expect(await read(text)).toEqual([
    [1, { a: 1 }],
    [1, { a: 2 }],
  ]);
});

test("any list comes back the same, however it is indented and cut", async () => {
  const row = fc.dictionary(fc.stringMatching(/^[a-z "\\]{1,5}$/), plainJson, { maxKeys: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(row),
      fc.integer({ min: 0, max: 2 }),
      fc.integer({ min: 1, max: 30 }),
      async (rows, indent, size) => {
        const text = JSON.stringify(rows, null, indent);
        const values = (await read(text, size)).map((each) => (Array.isArray(each) ? each[1] : each));
        expect(values).toEqual(JSON.parse(text));
      },
    ),
  );
});

test.each([
  ["", 'Line 1, character 1: expected "[" or "{", found the end of the file.'],
  ["question,answer\n", 'Line 1, character 1: expected "[" or "{", found "q".'],
  ["[{}\n {}]", 'Line 2, character 2: expected "," or "]", found "{".'],
  ["[{},]", 'Line 1, character 5: expected a value, found "]".'],
  ["[{}", 'Line 1, character 4: expected "," or "]", found the end of the file.'],
  ['[\n{"a": "x', "Line 2, character 1: a value begins here and the file ends inside it."],
  ["[{}]\n[", 'Line 2, character 1: expected the end of the file, found "[".'],
  ['{"rows": []}', 'The object holds no list "samples" or "data".'],
  ['{"data": {}}', 'The object holds no list "samples" or "data".'],
  ["{}", 'The object holds no list "samples" or "data".'],
  ["{data: []}", 'Line 1, character 2: expected a name in double quotes, found "d".'],
  ['{"data" []}', 'Line 1, character 9: expected ":", found "[".'],
  ['{"da\\ta": []}', "The object holds no list"],
  ['{"d\\a": []}', "Line 1, character 4: a backslash here is no escape of JSON."],
])("%j: %s", async (text, message) => {
  for (const size of [1, 65_536]) await expect(read(text, size)).rejects.toThrow(message);
});

test("101 levels end the reading where they begin", async () => {
  await expect(read(`[\n${"[".repeat(10_000)}`, 64)).rejects.toThrow(
    "Line 2, character 101: lists and objects are more than 100 levels deep here.",
  );
});

test("a row over the limit ends the reading, also one that never ends", async () => {
  async function* endless() {
    yield '[{"a":1},\n{"a":"';
    for (;;) yield "x".repeat(100);
  }
  const rows = listRows(readJson(endless(), { ...LIMITS, maxRowBytes: 1024 }));
  await expect(rows).rejects.toThrow("Line 2: the row is longer than 1 KiB.");
});
