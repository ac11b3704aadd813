import { expect, test } from "bun:test";
import { type FileLine, readLines } from "./lines";

/** The lines of a file that arrives in pieces of `pieceBytes`. */
const read = (content: string | Uint8Array, { pieceBytes = 3, maxBytes = 20 } = {}): Promise<FileLine[]> => {
  const bytes = Buffer.from(content as string);
  const pieces = async function* () {
    for (let from = 0; from < bytes.length; from += pieceBytes) yield bytes.subarray(from, from + pieceBytes);
  };
  return Array.fromAsync(readLines(pieces(), maxBytes));
};

test.each([
  ["LF", "{a}\n{b}\n", ["1 {a}", "2 {b}"]],
  ["no line break at the end", "{a}\n{b}", ["1 {a}", "2 {b}"]],
  ["CRLF", "{a}\r\n{b}\r\n", ["1 {a}\r", "2 {b}\r"]],
  ["a byte order mark", "\ufeff{a}\n", ["1 {a}"]],
  ["concatenated files with byte order marks", "\ufeff{a}\n\ufeff{b}\n", ["1 {a}", "2 {b}"]],
  ["blank lines, which are counted", "\n{a}\n \r\n\n{b}\n\n", ["2 {a}", "5 {b}"]],
  ["characters of several bytes", "{ä€😀}\n", ["1 {ä€😀}"]],
  ["nothing", "", []],
  ["only a line break", "\n", []],
])("reads a file with %s", async (_, content, expected) => {
  for (const pieceBytes of [1, 3, 1000]) {
    const lines = await read(content, { pieceBytes });
    expect(lines.map((found) => `${found.line} ${"text" in found ? found.text : found.problem}`)).toEqual(expected);
  }
});

test("a line that is too long, or not UTF-8, doesn't affect the others", async () => {
  const long = `${"x".repeat(20)}\n${"y".repeat(21)}\n{b}\n`;
  expect(await read(long)).toEqual([
    { line: 1, text: "x".repeat(20) },
    { line: 2, problem: "too_long" },
    { line: 3, text: "{b}" },
  ]);
  const latin1 = Buffer.concat([Buffer.from("{a}\n"), Buffer.from([0xe4, 10]), Buffer.from("{b}")]);
  expect(await read(latin1)).toEqual([
    { line: 1, text: "{a}" },
    { line: 2, problem: "not_utf8" },
    { line: 3, text: "{b}" },
  ]);
});
