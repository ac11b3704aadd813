import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readText } from "../../../../tests/datasets/read";
import { plainJson } from "../../../../tests/datasets/rows";
import { findJsonProblem, NumberText, parseExact } from "./json-value";

/** A number as written in the file, which is also its text, and its metadata value. */
const NUMBERS: [written: string, metadata: number | string][] = [
  ["0", 0],
  ["-0", -0],
  ["5", 5],
  ["-5", -5],
  ["1.0", 1],
  ["1.50", 1.5],
  ["0.1", 0.1],
  ["0.10", 0.1],
  ["100", 100],
  ["1e5", 100_000],
  ["1E+5", 100_000],
  ["1.5e-7", 1.5e-7],
  ["0.0000001", 1e-7],
  ["9007199254740991", 9_007_199_254_740_991],
  ["9007199254740993", "9007199254740993"],
  ["-9007199254740993", "-9007199254740993"],
  ["1234567890123456789", "1234567890123456789"],
  ["12345678901234567890", "12345678901234567890"],
  ["1152921504606846976", "1152921504606846976"],
  ["1000000000000000000000", 1e21],
  ["0.1234567890123456789", "0.1234567890123456789"],
  ["123456789.123456789", "123456789.123456789"],
  ["123456.789012345", 123_456.789_012_345],
  ["3.141592653589793238", "3.141592653589793238"],
  ["1e400", "1e400"],
  ["1e-400", "1e-400"],
  ["19.990", 19.99],
  [`1${"0".repeat(150)}1`, `1${"0".repeat(150)}1`],
];

describe.each(["jsonl", "json", "csv"] as const)("a number in %s", (format) => {
  test.each(NUMBERS)("%s keeps its digits", async (written, metadata) => {
    const inner = `{"list":[${written}]}`;
    const row = `{"id":${written},"input":"q","answer":${written},"contexts":[${written},"${written}"],"n":${written},"nested":${inner}}`;
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    const csv = `id,input,answer,contexts,n,nested\n${written},q,${written},${quoted(`[${written},"${written}"]`)},${written},${quoted(inner)}\n`;
    const { samples, report } = await readText(format, format === "csv" ? csv : format === "json" ? `[${row}]` : row);
    expect(report.errors).toEqual([]);
    expect(samples).toMatchObject([
      {
        key: written,
        references: [written],
        contexts: [written, written],
        metadata: { n: format === "csv" ? written : metadata, nested: inner },
      },
    ]);
  });
});

test.each([
  "1.0",
  "007",
  "1e5",
  "TRUE",
  "True",
  "2021-01-05",
  "17:30:00",
  "NaN",
  "null",
  " 5 ",
  "1,5",
  "½",
  "+1",
  "0x10",
  "1_000",
])("%j in CSV is kept as written", async (text) => {
  const { samples } = await readText("csv", `input;answer;n\nq;${text};${text}\n`);
  expect(samples).toMatchObject([{ references: [text], metadata: { n: text } }]);
});

test.each([
  ['{"input":"q","answer":true,"n":false}', "true", false],
  ['{"input":"q","answer":"1.0","n":"007"}', "1.0", "007"],
  ['{"input":"q","answer":"12345678901234567890","n":null}', "12345678901234567890", null],
  ['{"input":"q","answer":"a 1e5 b","n":"x 1.0"}', "a 1e5 b", "x 1.0"],
])("%s: text that is not a number is unchanged", async (row, answer, n) => {
  expect((await readText("jsonl", row)).samples).toMatchObject([{ references: [answer], metadata: { n } }]);
});

test.each(["NaN", "Infinity", "-Infinity"])(
  "%s, which Python writes to JSON, becomes text, as in Parquet",
  async (text) => {
    const rows = `{"input":"a","answer":${text},"n":${text},"l":[1.50,{"NaN":${text}}],"s":"\\"NaN, ${text}"}`;
    const wanted = { n: text, l: `[1.50,{"NaN":"${text}"}]`, s: `"NaN, ${text}` };
    for (const [format, file] of [["jsonl", `${rows}\n`] as const, ["json", `[${rows}]`] as const]) {
      const { samples, report } = await readText(format, file);
      expect(samples).toMatchObject([{ references: [text], metadata: wanted }]);
      expect(report.errors).toEqual([]);
    }
  },
);

test("an unterminated string of one megabyte does not take quadratic time", async () => {
  const text = `{"input":NaN,"a":"${'\\"'.repeat(500_000)}`;
  const { report } = await readText("jsonl", text);
  expect(report.errors).toMatchObject([{ line: 1, message: expect.stringContaining("begins here and never ends") }]);
});

test.each(["-NaN", "nan", "NaNs", "infinity", "+Infinity", "1.", ".5", "01", "+1", "0x10"])(
  "%s is not JSON, so its row is rejected",
  async (text) => {
    const { samples, report } = await readText("jsonl", `{"input":"a","n":${text}}\n{"input":"b"}\n`);
    expect(samples).toMatchObject([{ input: "b" }]);
    expect(report.errors).toMatchObject([{ line: 1, message: expect.stringMatching(/^character \d+: expected/) }]);
  },
);

test("a number of one megabyte does not take quadratic time", () => {
  const text = `1${"0".repeat(1_000_000)}1`;
  expect(new NumberText(text).value).toBe(text);
  expect(new NumberText(`${text}.${"0".repeat(1_000_000)}`).value).toBe(`${text}.${"0".repeat(1_000_000)}`);
});

test("any JSON keeps its values and digits", () => {
  fc.assert(
    fc.property(plainJson, (value) => {
      const text = JSON.stringify({ value });
      expect(JSON.stringify(parseExact(text))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

const unit = fc.constantFrom(...'{}[]:,"-.e10 \\\n', '"a"', "true", "nul", "u00e9");

test("a problem is found exactly in text that JSON.parse rejects", () => {
  const json = plainJson.map((value) => JSON.stringify(value));
  const mutated = fc.tuple(json, fc.nat(), fc.string({ unit, maxLength: 3 })).map(([text, at, insert]) => {
    const cut = at % (text.length + 1);
    return text.slice(0, cut) + insert + text.slice(cut);
  });
  fc.assert(
    fc.property(fc.oneof(json, mutated, fc.string({ unit })), (text) => {
      let isJson = true;
      try {
        JSON.parse(text);
      } catch {
        isJson = false;
      }
      expect(findJsonProblem(text) === undefined).toBe(isJson);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['{"a": 1,}', 8, 'expected a name in double quotes, found "}"'],
  ['{"a" 1}', 5, 'expected ":", found "1"'],
  ['{"a": 1 "b": 2}', 8, 'expected "," or "}", found "\\""'],
  ["[1, 2", 5, 'expected "," or "]", found the end'],
  ['{"a": nope}', 6, 'expected a value, found "n"'],
  ['{"a": nan}', 6, 'expected a value, found "n"'],
  ['{"a": NaN, "b": -Infinity, c}', 27, 'expected a name in double quotes, found "c"'],
  ["{'a': 1}", 1, 'expected a name in double quotes, found "\'"'],
  ['{"a": "x', 6, "a string begins here and never ends"],
  ['{"a": "x\ty"}', 8, "a string contains a control character: write it as an escape"],
  ['{"a": "\\x"}', 7, "a backslash here does not start a valid JSON escape"],
  ["{} {}", 3, "there is more text after the end of the value"],
  ["01", 1, "there is more text after the end of the value"],
  ["", 0, "expected a value, found the end"],
  ['{"a": {"__proto__": 1}}', 7, 'the name "__proto__" is not allowed: rename it'],
  ['{"\\u005f_proto__": 1}', 1, 'the name "__proto__" is not allowed: rename it'],
  ['[{"constructor": 1}]', 2, 'the name "constructor" is not allowed: rename it'],
])("the first problem of %j is at %d: %s", (text, at, message) => {
  expect(findJsonProblem(text)).toEqual({ at, message });
});

test("100 levels are accepted and 101 are not", () => {
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  expect(findJsonProblem(nested(100))).toBeUndefined();
  expect(findJsonProblem(nested(101))).toEqual({ at: 100, message: "lists and objects are more than 100 levels deep" });
  expect(findJsonProblem("[".repeat(1_000_000))?.at).toBe(100);
});

describe.each(["jsonl", "json"] as const)("in %s", (format) => {
  const warningsOf = async (row: string) => {
    const { samples, report } = await readText(format, format === "json" ? `[\n${row}\n]` : `\n${row}`);
    expect([samples.length, report.errors]).toEqual([1, []]);
    return report.warnings.map(({ line, message, count }) => `${line} ${count} ${message}`);
  };
  const repeated = (name: string, count = 1) =>
    `2 ${count} the name "${name}" is repeated in the same object. Only its last value is kept: rename the others.`;

  test.each<[row: string, warnings: string[]]>([
    ['{"question":"first","question":"second"}', [repeated("question")]],
    ['{"question":"q","a":1,"b":2,"a" : 3,"b":4,"a":5}', [repeated("a"), repeated("b")]],
    ['{"question":"q","metadata":{"topic":"x","topic":"y"}}', [repeated("topic")]],
    ['{"question":"q","list":[{"a":1},{"a":1,"\\u0061":NaN}]}', [repeated("a")]],
    ['{"question":"q","\\\\":1,"\\\\":2}', [repeated("\\")]],
  ])("a repeated name in %s is a warning", async (row, warnings) => {
    expect(await warningsOf(row)).toEqual(warnings);
  });

  test.each([
    '{"question":"q","a":{"x":1},"b":{"x":1}}',
    '{"question":"\\"a\\": 1, \\"a\\": 2","answer":":","list":["a",":"],"n":1.50}',
  ])("names that differ in %s are no warning", async (row) => {
    expect(await warningsOf(row)).toEqual([]);
  });
});
