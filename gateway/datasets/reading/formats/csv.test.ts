import { expect, test } from "bun:test";
import fc from "fast-check";
import { inPieces, keepWarnings, LIMITS, listRows, noWarning } from "../../../../tests/datasets/rows";
import { readCsv } from "./csv";

const read = (text: string, size = 65_536, limits = LIMITS) =>
  listRows(readCsv(inPieces(text, size), limits, noWarning));

test.each([1, 2, 3, 65_536])("quotes, line breaks in cells and empty lines are read in chunks of %d", async (size) => {
  const text = 'a,b\r\n1,"x, ""y""\r\nz"\r\n\r\n,\r\n"",5" pipe\r\n"2"\r\n3,4,5\r\n6,"7"';
  expect(await read(text, size)).toEqual([
    [2, { a: "1", b: 'x, "y"\r\nz' }],
    [6, { a: "", b: '5" pipe' }],
    "7: the row has 1 cell, but the header has 2. Add the missing cells.",
    "8: the row has 3 cells, but the header has 2. Quote cells that contain delimiters.",
    [9, { a: "6", b: "7" }],
  ]);
});

test.each([",", ";", "\t"])("%j is the delimiter if it is the most frequent one in the header", async (delimiter) => {
  const text = `"a,;\t,;\t"${delimiter}b${delimiter}c\n1${delimiter}2${delimiter}3\n`;
  expect(await read(text)).toEqual([[2, { "a,;\t,;\t": "1", b: "2", c: "3" }]]);
});

test.each([
  ["a|b|c", ["a", "b", "c"]],
  ["a|b,c", ["a|b", "c"]],
  ["a|b|c;d", ["a|b|c", "d"]],
  ['"a,b"|c', ["a,b", "c"]],
  ["sep=;\na|b", ["a", "b"]],
])("%j: a bar is the delimiter if the header has no other", async (header, names) => {
  const [row] = await read(`${header}\n${header.split("\n").at(-1)}x\n`);
  expect(Object.keys((row as [number, object])[1])).toEqual(names);
});

test("rows of spaces are skipped", async () => {
  expect(await read('a,b\n  \n1,2\n , \t\n" ",\n3, \n')).toEqual([
    [3, { a: "1", b: "2" }],
    [6, { a: "3", b: " " }],
  ]);
});

test.each(["\n", "\r\n", "\r"])("%j ends a row", async (lineBreak) => {
  const text = ["a,b", "1,2", '"x",', "3,4", ""].join(lineBreak);
  expect(await read(text)).toEqual([
    [2, { a: "1", b: "2" }],
    [3, { a: "x", b: "" }],
    [4, { a: "3", b: "4" }],
  ]);
});

test("any RFC 4180 file is read back unchanged, with its line numbers", async () => {
  const unit = fc.constantFrom('"', ",", ";", "\n", "\r", "\r\n", " ", "'", "é", "שלום", "\u202e", "😀", "x");
  const cell = fc.string({ unit });
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
  // A repeated header is left out.
  const row = fc.tuple(cell, cell).filter(([a, b]) => (a + b).trim() !== "" && (a !== "a" || b !== "b"));
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

test.each<[text: string, rows: unknown[]]>([
  // A broken quote rejects its row.
  [
    'a,b\n1,2\n3,"x\n4,y\n',
    [[2, { a: "1", b: "2" }], "3: character 3: a quote opens here and never closes.", [4, { a: "4", b: "y" }]],
  ],
  ['a,b\n1,"x"y\n2,z\n', ["2: character 6: there is text after a closing quote.", [3, { a: "2", b: "z" }]]],
  [
    'a,b\n1,"x\n2,"y"\n3,z\n',
    ["2: line 3, character 4: there is text after a closing quote.", [3, { a: "2", b: "y" }], [4, { a: "3", b: "z" }]],
  ],
  [
    'a,b,c\n1,"x,y\n2,"z",w\n3,v,u\n',
    [
      "2: line 3, character 4: there is text after a closing quote.",
      [3, { a: "2", b: "z", c: "w" }],
      [4, { a: "3", b: "v", c: "u" }],
    ],
  ],
  [
    'a,b\n1,"x\n2,y\n3,"\n4,z\n',
    [
      [2, { a: "1", b: "x\n2,y\n3," }],
      [5, { a: "4", b: "z" }],
    ],
  ],
  [
    'a,b\n1,"x\n2,y\n"\n4,z\n',
    [
      [2, { a: "1", b: "x\n2,y\n" }],
      [5, { a: "4", b: "z" }],
    ],
  ],
  [
    'a,b,c\n1,"x,w\n2,y,v\n3,u,"\n4,z,t\n',
    [
      "2: a quote opens in this row and closes in a later one.",
      [3, { a: "2", b: "y", c: "v" }],
      "4: character 5: a quote opens here and never closes.",
      [5, { a: "4", b: "z", c: "t" }],
    ],
  ],
  [
    'a,b\n"say "hi" to\nme, and go",x\nq,r\n',
    ["2: character 7: there is text after a closing quote.", [4, { a: "q", b: "r" }]],
  ],
  ['a\n"x\ny\nz\n', ["2: character 1: a quote opens here and never closes.", [3, { a: "y" }], [4, { a: "z" }]]],
  [
    'a,b\n1,"x" ,\n2, "y"\n',
    [
      [2, { a: "1", b: "x" }],
      [3, { a: "2", b: ' "y"' }],
    ],
  ],
  // Quotes that are text, and valid quotes.
  ['a,b\n5" pipe,"say ""hi"""\n', [[2, { a: '5" pipe', b: 'say "hi"' }]]],
  ['a,b\n"",""""\n', [[2, { a: "", b: '"' }]]],
  [
    'a,b\n"1\n2","3\n4"\n5,6',
    [
      [2, { a: "1\n2", b: "3\n4" }],
      [5, { a: "5", b: "6" }],
    ],
  ],
  // Columns without a name, and cells without a column.
  ["a,,b\n1,2,3\n", [[2, { a: "1", b: "3" }]]],
  [
    ",a\n0,1\n1,2\n",
    [
      [2, { a: "1" }],
      [3, { a: "2" }],
    ],
  ],
  [
    "a,b,,\n1,2,,\n3,4\n5,6,7\n8,9,,,,\n",
    [
      [2, { a: "1", b: "2" }],
      [3, { a: "3", b: "4" }],
      [4, { a: "5", b: "6" }],
      [5, { a: "8", b: "9" }],
    ],
  ],
  [
    "a,b\n1,2,\n3,4,5\n6\n",
    [
      [2, { a: "1", b: "2" }],
      "3: the row has 3 cells, but the header has 2.",
      "4: the row has 1 cell, but the header has 2.",
    ],
  ],
  ["\n\na,b,a\n1,2,3\n", [[4, { a: "1", b: "2", "a (2)": "3" }]]],
  ["a,__proto__\n1,2\n", [[2, { a: "1" }]]],
  [`a,${"x".repeat(201)}\n1,2\n`, [[2, { a: "1" }]]],
  // What spreadsheets and other programs add.
  ["sep=;\r\na;b\r\n1;2,3\r\n", [[3, { a: "1", b: "2,3" }]]],
  ['"sep=;"\na;b\n1;2\n', [[3, { a: "1", b: "2" }]]],
  ["sep=\t\na\tb\n1\t2\n", [[3, { a: "1", b: "2" }]]],
  ["SEP=\\t\na\tb\n1\t2\n", [[3, { a: "1", b: "2" }]]],
  ["sep=|\na|b\n1|2,3\n", [[3, { a: "1", b: "2,3" }]]],
  ["sep=,,\na,b\n1,2\n", [[3, { a: "1", b: "2" }]]],
  ["sep=;\na,b\n1,2\n", [[3, { a: "1", b: "2" }]]],
  ["sep,b\n1,2\n", [[2, { sep: "1", b: "2" }]]],
  [
    "a,b\n1,2\na,b\n3,4\n\ufeffa,b\n5,6\n",
    [
      [2, { a: "1", b: "2" }],
      [4, { a: "3", b: "4" }],
      [6, { a: "5", b: "6" }],
    ],
  ],
  [
    "a,b\r\n1,2\n3,4\r5,6\n\n\n7,8",
    [
      [2, { a: "1", b: "2" }],
      [3, { a: "3", b: "4" }],
      [4, { a: "5", b: "6" }],
      [7, { a: "7", b: "8" }],
    ],
  ],
  ['a,"b\n1,2\n', [[2, { a: "1", b: "2" }]]],
])("%j: at most the malformed row is rejected", async (text, rows) => {
  const wanted = rows.map((row) => (typeof row === "string" ? expect.stringMatching(startOf(row)) : row));
  for (const size of [1, 3, 65_536]) expect(await read(text, size)).toEqual(wanted);
});

const startOf = (text: string): RegExp => new RegExp(`^${RegExp.escape(text)}`);

test("skipped content is reported with its line", async () => {
  const { warn, warnings } = keepWarnings();
  const text = "a,,b,b,__proto__,\n1,2,3,4,5,,,\na,,b,b,__proto__,\n";
  await listRows(readCsv(inPieces(text, 5), LIMITS, warn));
  expect(warnings).toEqual([
    "1: columns 2, 6 have no names and are left out. Name them to keep them.",
    '1: an earlier column is also named "b", so this one is called "b (2)". Rename it, or map it by this name.',
    '1: the name "__proto__" is not allowed: rename it. The column is left out: rename it to keep it.',
    "2: empty cells after the last column are left out.",
    "3: the header is repeated here. This line is left out.",
  ]);
});

test("too many columns and a header without a name are rejected", async () => {
  const limits = { ...LIMITS, maxColumns: 3 };
  await expect(read("a,b,c,d\n", 100, limits)).rejects.toThrow("Line 1: there are 4 columns, but the limit is 3.");
  expect(await read("a,b,c,,,,\n1,2,3\n", 100, limits)).toHaveLength(1);
  await expect(read("__proto__\n1\n")).rejects.toThrow("Line 1: no column has a name.");
});

test.each([1, 100, 65_536])("a row over the limit rejects only itself, in chunks of %d", async (size) => {
  const limits = { ...LIMITS, maxRowBytes: 1024 };
  const long = "é".repeat(600);
  const text = `a,b\n1,2\n${long},3\n4,"${long}\n"\n5,"x\n${"y,z\n".repeat(400)}6,${long}`;
  const rows = await read(text, size, limits);
  expect(rows.slice(0, 4)).toEqual([
    [2, { a: "1", b: "2" }],
    "3: the row is longer than 1 KiB. Shorten it, or raise GROUNDWIRE_MAX_ROW_BYTES.",
    "4: the row is longer than 1 KiB. Shorten it, or raise GROUNDWIRE_MAX_ROW_BYTES.",
    expect.stringMatching(/^6: character 3: a quote opens here and never closes/),
  ]);
  expect(rows).toHaveLength(4 + 400 + 1);
  expect(rows.at(-1)).toStartWith("407: the row is longer than 1 KiB.");
});

test("more empty lines than the row limit are rejected", async () => {
  const limits = { ...LIMITS, maxRows: 3 };
  await expect(read("a,b\n\n,\r\n\n\n1,2\n", 100, limits)).rejects.toThrow("Line 5: more than 3 lines are empty.");
});
