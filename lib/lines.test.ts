import { expect, test } from "bun:test";
import fc from "fast-check";
import { readLines } from "./lines";

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const linesOf = (text: string, size: number) =>
  Array.fromAsync(readLines(inChunks(new TextEncoder().encode(text), size)));

test("a text comes back line by line, wherever its bytes are cut", async () => {
  const line = fc.string({ unit: "binary" }).map((text) => text.replaceAll(/[\r\n\ufeff]/g, ""));
  await fc.assert(
    fc.asyncProperty(
      fc.array(line),
      fc.constantFrom("\n", "\r\n"),
      fc.integer({ min: 1, max: 9 }),
      async (lines, end, size) => {
        expect(await linesOf(lines.map((each) => each + end).join(""), size)).toEqual(lines);
      },
    ),
  );
});

test("the last line may lack its end, and separators of other kinds end none", async () => {
  expect(await linesOf("a\n\nb\u2028c", 3)).toEqual(["a", "", "b\u2028c"]);
  expect(await linesOf("", 1)).toEqual([]);
});

test("bytes that are not UTF-8 are refused", async () => {
  await expect(Array.fromAsync(readLines(inChunks(Uint8Array.of(97, 10, 0xff, 10), 2)))).rejects.toThrow(TypeError);
});
