import { expect, test } from "bun:test";
import fc from "fast-check";
import { inBlocks, keepWarnings, noWarning } from "../../../tests/datasets/rows";
import { BAD_BYTE, decodeText, LineCounter, placeIn, utf16Of } from "./text";

const decode = async (bytes: Uint8Array, size: number): Promise<string> =>
  (await Array.fromAsync(decodeText(inBlocks(bytes, size), noWarning))).join("");

test("text is decoded the same wherever its bytes are split", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: "grapheme", minLength: 1 }),
      fc.integer({ min: 1, max: 9 }),
      async (text, size) => {
        const storable = text.toWellFormed().replaceAll("\0", "");
        expect(await decode(Buffer.from(`x${storable}`), size)).toBe(`x${storable}`);
      },
    ),
  );
});

test("a byte order mark is dropped only at the beginning", async () => {
  for (const size of [1, 2, 4, 100]) expect(await decode(Buffer.from("\ufeffa\ufeffb"), size)).toBe("a\ufeffb");
});

test.each<[what: string, bytes: number[], text: string]>([
  ["a byte that starts no character", [0xff], "?"],
  ["Latin-1", [0x46, 0x72, 0xe1, 0x67, 0x65], "Fr?ge"],
  ["a lead byte and a letter", [0xc3, 0x28], "?("],
  ["an overlong encoding", [0xc0, 0xaf], "??"],
  ["an overlong encoding of three bytes", [0xe0, 0x80, 0xaf], "???"],
  ["half of a surrogate pair", [0xed, 0xa0, 0x80], "???"],
  ["beyond the last character", [0xf4, 0x90, 0x80, 0x80], "????"],
  ["a truncated character", [0xf0, 0x9f, 0x98], "?"],
  ["a byte between valid characters", [0xc3, 0xa9, 0x80, 0xe2, 0x82, 0xac], "é?€"],
  ["a byte between replacement characters of the file", [0xef, 0xbf, 0xbd, 0x80, 0xef, 0xbf, 0xbd], "\ufffd?\ufffd"],
])("%s: bytes that are not UTF-8 are marked in place", async (_, bytes, marked) => {
  const text = marked.replaceAll("?", BAD_BYTE);
  for (const size of [1, 3, 100]) {
    expect(await decode(Buffer.concat([Buffer.from("é\né"), Buffer.from(bytes)]), size)).toBe(`é\né${text}`);
    const between = Buffer.concat([Buffer.from(bytes), Buffer.from("x😀")]);
    expect(await decode(between, size)).toBe(`${text}x😀`);
  }
});

test.each([1, 3, 64])("NUL is removed and reported at the end and kept elsewhere, in blocks of %d", async (size) => {
  const { warn, warnings } = keepWarnings();
  const read = async (text: string) => {
    warnings.length = 0;
    return (await Array.fromAsync(decodeText(inBlocks(text, size), warn))).join("");
  };
  expect([await read(`a\n${"\0".repeat(100)}`), warnings.length]).toEqual(["a\n", 1]);
  expect([await read("a\n\x1a"), warnings.length]).toEqual(["a\n", 1]);
  expect([await read(`a\0b\0\0c\n`), warnings.length]).toEqual(["a\0b\0\0c\n", 0]);
  expect([await read(`aa\0b\0`), warnings.length]).toEqual(["aa\0b", 1]);
});

test.each([
  ["“question”,answer\nWho?,Ada\n", "utf-16le"],
  ["[東京、大阪、名古屋、京都、神戸、福岡]", undefined],
  ["日本\nquestion,answer,topic", "utf-16le"],
] as const)("UTF-16 without a byte order mark: %s", (text, encoding) => {
  const bytes = Buffer.from(text, "utf16le");
  expect([utf16Of(bytes), utf16Of(bytes.swap16())]).toEqual([encoding, encoding && "utf-16be"]);
});

test.each([1, 3, 64])(
  "UTF-16 is read with and without a byte order mark, in blocks of %d after the first",
  async (size) => {
    const text = "question,answer,topic\né😀שלום,東京,ā\n";
    const little = (each: string) => Buffer.from(each, "utf16le");
    const big = (each: string) => little(each).swap16();
    for (const bytes of [little(`\ufeff${text}`), big(`\ufeff${text}`), little(text), big(text)]) {
      const blocks = async function* () {
        yield bytes.subarray(0, 4);
        yield* inBlocks(bytes.subarray(4), size);
      };
      const { warn, warnings } = keepWarnings();
      expect((await Array.fromAsync(decodeText(blocks(), warn))).join("")).toBe(text);
      expect(warnings).toHaveLength(1);
    }
  },
);

test.each<[text: string, kept: string]>([
  ["a\n\0", "a\n"],
  ["a\0\n", "a"],
  ["a\n\0\r\n\0\0\r\n", "a\n"],
  ["a\n\x1a \n", "a\n"],
  ["a\0 b\n", "a\0 b\n"],
  ["ab\0\n\0b", "ab\0\n\0b"],
  ["a \n\n", "a \n\n"],
  ["\0\n", ""],
])("%j is read as %j: line breaks after NUL bytes at the end are removed", async (text, kept) => {
  for (const size of [1, 2, 100]) {
    const { warn, warnings } = keepWarnings();
    expect((await Array.fromAsync(decodeText(inBlocks(text, size), warn))).join("")).toBe(kept);
    expect(warnings.length).toBe(kept === text ? 0 : 1);
  }
});

test.each([1, 2, 3])("UTF-16 is read without its %d NUL bytes at the end", async (count) => {
  const bytes = Buffer.concat([Buffer.from("\ufeffa,b\n", "utf16le"), Buffer.alloc(count)]);
  for (const size of [4, 7, 100]) expect(await decode(bytes, size)).toBe("a,b\n");
});

test("LF, CRLF and CR end a line, wherever the text is split", () => {
  const unit = fc.constantFrom("\n", "\r", "\r\n", "a", "é");
  fc.assert(
    fc.property(fc.array(fc.string({ unit })), (pieces) => {
      const counter = new LineCounter();
      for (const piece of pieces) counter.pass(piece);
      const lines = pieces.join("").split(/\r\n|\r|\n/);
      expect([counter.line, counter.character]).toEqual([lines.length, (lines.at(-1)?.length ?? 0) + 1]);
    }),
  );
});

test("a position within a text is added to the position where the text starts", () => {
  expect(placeIn("ab\ncd", 1, { line: 7, character: 5 })).toMatchObject({ line: 7, character: 6 });
  expect(placeIn("ab\ncd", 4, { line: 7, character: 5 })).toMatchObject({ line: 8, character: 2 });
});
