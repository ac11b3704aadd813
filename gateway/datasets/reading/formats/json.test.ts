import { expect, test } from "bun:test";
import fc from "fast-check";
import { inPieces, LIMITS, listRows, noWarning, plainJson } from "../../../../tests/datasets/rows";
import { readJson } from "./json";

const read = (text: string, size = 65_536, limits = LIMITS) =>
  listRows(readJson(inPieces(text, size), limits, noWarning));

test.each([1, 2, 3, 65_536])("a list of objects, one over several lines, in pieces of %d", async (size) => {
  const text = ' [\n{"a": "]}\\"", "b": [1, {}]}, {\n  "a": 2\n}\r\n,\n{"a": tru},\n12, "x", null ]\n';
  expect(await read(text, size)).toEqual([
    [2, { a: ']}"', b: [1, {}] }],
    [2, { a: 2 }],
    '6: character 7: expected a value, found "t".',
    "7: a row must be an object, not 12.",
    '7: a row must be an object, not "x".',
    "7: a row must be an object, not null.",
  ]);
});

test.each(["samples", "data"])("an object with the rows as %s is read, whatever other fields it has", async (name) => {
  const text = `{"version": 1.0, "about": {"data": [1], "x": "}"}, "${name}": [{"a": 1}, {"a": 2}], "end": []}`;
  expect(await read(text)).toEqual([
    [1, { a: 1 }],
    [1, { a: 2 }],
  ]);
});

test("any list is read unchanged, however it is indented and split into chunks", async () => {
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
  ['{"rows": []}', 'The object has no list "samples" or "data".'],
  ['{"data": {}}', 'The object has no list "samples" or "data".'],
  ["{}", 'The object has no list "samples" or "data".'],
  ["{data: []}", 'Line 1, character 2: expected a name in double quotes, found "d".'],
  ['{"data" []}', 'Line 1, character 9: expected ":", found "[".'],
  ['{"da\\ta": []}', "The object has no list"],
  ['{"d\\a": []}', "Line 1, character 4: a backslash here does not start a valid JSON escape."],
])("%j is rejected: %s", async (text, message) => {
  for (const size of [1, 65_536]) await expect(read(text, size)).rejects.toThrow(message);
});

test.each<[text: string, rows: unknown[]]>([
  [
    '[{"a":1}\n {"a":2}]',
    [
      [1, { a: 1 }],
      [2, { a: 2 }],
    ],
  ],
  ['[{"a":1},]', [[1, { a: 1 }]]],
  [
    '[,{"a":1},,{"a":2}]',
    [
      [1, { a: 1 }],
      [1, { a: 2 }],
    ],
  ],
  ['[{"a":1}', [[1, { a: 1 }], '1: character 9: expected "]", found the end of the file.']],
  ['[\n{"a":1},\n{"a": "x', [[2, { a: 1 }], "3: character 1: the file ends inside the value that begins here."]],
  [
    '[{"a":1}]\n[{"a":2}]',
    [
      [1, { a: 1 }],
      [2, { a: 2 }],
    ],
  ],
  [
    '[{"a":1},\n{"a":2,"b":"x},\n{"a":3},\n{"a":4}]',
    [[1, { a: 1 }], "2: character 1: the file ends inside the value that begins here.", [3, { a: 3 }], [4, { a: 4 }]],
  ],
  [
    '[{"a":1},{"a":"x},{"a":"y"},{"a":4}]',
    [
      [1, { a: 1 }],
      "1: character 10: the file ends inside the value that begins here.",
      [1, { a: "y" }],
      [1, { a: 4 }],
    ],
  ],
  ['[\n{"a":1},\n{"a":2,"b":[1,2},\n{"a":3}\n]', [[2, { a: 1 }], "3: character 16: expected", [4, { a: 3 }]]],
  [
    '[\n{"a":1},\n{"a":2,"b":{"c":1},\n{"a":3}\n]',
    [[2, { a: 1 }], "4: character 1: expected a name in double quotes", [4, { a: 3 }]],
  ],
  ['[\n{"a":1}},\n{"a":2}\n]', [[2, { a: 1 }], '2: character 8: expected "," or "]", found "}".', [3, { a: 2 }]]],
  ['[\n{"a":1},\n{a:2},\n{"a":3}\n]', [[2, { a: 1 }], "3: character 2: expected a name", [4, { a: 3 }]]],
  ["[{'a':1},\n{\"a\":3}\n]", ["1: character 3: expected a name", [2, { a: 3 }]]],
  ['[{"a":None},{"a":3}]', ["1: character 7: expected a value", [1, { a: 3 }]]],
  [
    '[null,{"a":3},"x",[],7]',
    [
      "1: a row must be an object, not null.",
      [1, { a: 3 }],
      '1: a row must be an object, not "x".',
      "1: a row must be an object, not a list.",
      "1: a row must be an object, not 7.",
    ],
  ],
  [
    '{"data":[{"a":1},{"a":2},],"n":1}',
    [
      [1, { a: 1 }],
      [1, { a: 2 }],
    ],
  ],
  [
    '{"data":[{"a":1},{"a":2}',
    [[1, { a: 1 }], [1, { a: 2 }], '1: character 25: expected "]", found the end of the file.'],
  ],
  ['{"data":[{"a":1}] oops}', [[1, { a: 1 }], '1: character 19: expected "," or "}", found "o".']],
  [
    '\ufeff[{"a":1}]\n\ufeff[\ufeff{"a":2}]',
    [
      [1, { a: 1 }],
      [2, { a: 2 }],
    ],
  ],
  ['[{"a":1}] oops', [[1, { a: 1 }], '1: character 11: expected the end of the file, found "o".']],
  [
    '[{"a":1},\n{"a":"say {\\"a\\": 2}"},{"a":3}]',
    [
      [1, { a: 1 }],
      [2, { a: 'say {"a": 2}' }],
      [2, { a: 3 }],
    ],
  ],
  [
    `[{"a":1},{"a":${"[".repeat(200)}},{"a":3}]`,
    [[1, { a: 1 }], "1: character 114: lists and objects are more than 100 levels deep", [1, { a: 3 }]],
  ],
])("%j: at most the broken row is rejected", async (text, rows) => {
  const wanted = rows.map((row) =>
    typeof row === "string" ? expect.stringMatching(new RegExp(`^${RegExp.escape(row)}`)) : row,
  );
  for (const size of [1, 3, 65_536]) expect(await read(text, size)).toEqual(wanted);
});

const PRETTY = [{ a: 1, b: { c: [{ a: 5 }] } }, { a: 2 }, { a: 3 }];
test.each<[text: string, rows: unknown[]]>([
  [
    PRETTY.map((row) => JSON.stringify(row, null, 2)).join("\n"),
    [
      [1, PRETTY[0]],
      [11, PRETTY[1]],
      [14, PRETTY[2]],
    ],
  ],
  [
    PRETTY.map((row) => JSON.stringify(row, null, "\t")).join(",\r\n"),
    [
      [1, PRETTY[0]],
      [11, PRETTY[1]],
      [14, PRETTY[2]],
    ],
  ],
  [PRETTY.map((row) => JSON.stringify(row)).join(""), PRETTY.map((row) => [1, row])],
  [
    '{"a":"}{"} {"a":"x"}\n',
    [
      [1, { a: "}{" }],
      [1, { a: "x" }],
    ],
  ],
  [
    '\n{\n"a": 1\n}\n\n{\n"a": 2\n}\n',
    [
      [2, { a: 1 }],
      [6, { a: 2 }],
    ],
  ],
  [
    '{"data":5}{"data":"[]"}',
    [
      [1, { data: 5 }],
      [1, { data: "[]" }],
    ],
  ],
  ['{"a":1}{"a":oops}{"a":3}', [[1, { a: 1 }], "1: character 13: expected a value", [1, { a: 3 }]]],
  ['{\n "a" 1\n}\n{\n "a": 2\n}\n', ['2: character 6: expected ":"', [4, { a: 2 }]]],
  [
    '{\n "a": 1\n}\n{\n "a": "x\n}\n{\n "a": 3\n}\n',
    [[1, { a: 1 }], "4: character 1: the file ends inside the value that begins here", [7, { a: 3 }]],
  ],
  [
    '{\n "a": "x\n}\n{\n "a": 2\n}\n{\n "a": 3\n}\n',
    ["1: character 1: the file ends inside the value that begins here", [4, { a: 2 }], [7, { a: 3 }]],
  ],
  ['{"a":1}{"a":', [[1, { a: 1 }], "1: character 8: the file ends inside the value that begins here."]],
])("%j: consecutive objects without a list are rows", async (text, rows) => {
  const wanted = rows.map((row) =>
    typeof row === "string" ? expect.stringMatching(new RegExp(`^${RegExp.escape(row)}`)) : row,
  );
  for (const size of [1, 3, 65_536]) expect(await read(text, size)).toEqual(wanted);
});

test("an object larger than a row is read if it contains the list", async () => {
  const limits = { ...LIMITS, maxRowBytes: 1024 };
  const rows = Array.from({ length: 100 }, (_, a) => ({ a, b: "x".repeat(30) }));
  for (const size of [1, 100, 65_536]) {
    expect(await read(JSON.stringify({ n: 1, data: rows }), size, limits)).toEqual(rows.map((row) => [1, row]));
  }
});

test.each([1, 100, 65_536])("a row over the limit rejects only itself, in chunks of %d", async (size) => {
  const limits = { ...LIMITS, maxRowBytes: 1024 };
  const text = `[{"a":1},\n{"a":"${"x".repeat(3000)}"},\n{"a":3},{"a":"${"y".repeat(3000)}`;
  expect(await read(text, size, limits)).toEqual([
    [1, { a: 1 }],
    "2: the row is longer than 1 KiB. Shorten it, or raise GROUNDWIRE_MAX_ROW_BYTES.",
    [3, { a: 3 }],
    "3: the row is longer than 1 KiB. Shorten it, or raise GROUNDWIRE_MAX_ROW_BYTES.",
  ]);
});
