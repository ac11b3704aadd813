import { expect, test } from "bun:test";
import fc from "fast-check";
import { inBlocks } from "../../../tests/datasets/rows";
import { decodeText } from "./text";

const decode = async (bytes: Uint8Array, size: number): Promise<string> =>
  (await Array.fromAsync(decodeText(inBlocks(bytes, size)))).join("");

/** The text before the fault, and the fault. */
const fault = async (bytes: Uint8Array, size: number): Promise<[string, string]> => {
  let before = "";
  try {
    for await (const text of decodeText(inBlocks(bytes, size))) before += text;
  } catch (error) {
    return [before, error instanceof Error ? error.message : ""];
  }
  throw new Error("It was decoded.");
};

test("text is the same wherever its bytes are cut", async () => {
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

test("a byte order mark is dropped at the beginning and nowhere else", async () => {
  for (const size of [1, 2, 4, 100]) expect(await decode(Buffer.from("\ufeffa\ufeffb"), size)).toBe("a\ufeffb");
});

test.each([1, 3, 100])("bytes that are no UTF-8 are named by line and character, in blocks of %d", async (size) => {
  const notUtf8 = "a byte here is not UTF-8. Save the file as UTF-8 and upload it again.";
  const cases: [bytes: number[], message: string][] = [
    [[0xff], `Line 3, character 2: ${notUtf8}`],
    [[0xc3, 0x28], `Line 3, character 2: ${notUtf8}`],
    [[0xed, 0xa0, 0x80], `Line 3, character 2: ${notUtf8}`],
    [[0xf0, 0x9f, 0x98], `Line 3, character 2: ${notUtf8}`],
    [[0], "Line 3, character 2: NUL is not allowed in text. Is this a text file?"],
  ];
  for (const [bytes, message] of cases) {
    expect(await fault(Buffer.concat([Buffer.from("é\r\n\né"), Buffer.from(bytes)]), size)).toEqual([
      "é\r\n\né",
      message,
    ]);
  }
});

test("a fault deep in a block is found where it is", async () => {
  const before = `${"é😀x\n".repeat(5000)}abc`;
  const bytes = Buffer.concat([Buffer.from(before), Buffer.from([0xe2, 0x28]), Buffer.alloc(3000, "y")]);
  const [text, message] = await fault(bytes, 65_536);
  expect(text).toBe(before);
  expect(message).toStartWith("Line 5001, character 4: ");
});
