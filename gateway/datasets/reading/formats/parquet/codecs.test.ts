import { expect, test } from "bun:test";
import { AppError } from "../../../../../lib/errors";
import { lz4Block, lz4Framed } from "./codecs";

const bytes = (...parts: (number | string)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.of(part))));
const textOf = (unpacked: Uint8Array): string => Buffer.from(unpacked).toString();
const frame = (unpacked: number, block: Uint8Array): Uint8Array => {
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32BE(unpacked, 0);
  sizes.writeUInt32BE(block.length, 4);
  return Buffer.concat([sizes, block]);
};

const AB = bytes(0x20, "ab");
const LONG = "0123456789abcdefghij";

test.each<[what: string, block: Uint8Array, text: string]>([
  ["literals", AB, "ab"],
  ["more than 15 literals", bytes(0xf0, 5, LONG), LONG],
  ["270 literals", bytes(0xf0, 255, 0, "x".repeat(270)), "x".repeat(270)],
  ["a match", bytes(0x40, "abcd", 4, 0, 0x10, "!"), "abcdabcd!"],
  ["a match that repeats itself", bytes(0x10, "a", 1, 0, 0x10, "!"), "aaaaa!"],
  ["a match that overlaps", bytes(0x21, "ab", 2, 0, 0x10, "!"), "abababa!"],
  ["a match of more than 19 bytes", bytes(0x1f, "a", 1, 0, 5, 0x10, "!"), `${"a".repeat(25)}!`],
  ["two matches", bytes(0x40, "abcd", 4, 0, 0x00, 8, 0, 0x10, "!"), "abcdabcdabcd!"],
])("a block of %s", (_, block, text) => {
  expect(textOf(lz4Block(block, text.length))).toBe(text);
  expect(textOf(lz4Framed(frame(text.length, block), text.length))).toBe(text);
  expect(textOf(lz4Framed(block, text.length))).toBe(text);
});

test("a page of several frames", () => {
  expect(textOf(lz4Framed(Buffer.concat([frame(2, AB), frame(2, AB)]), 4))).toBe("abab");
});

test.each<[what: string, block: Uint8Array]>([
  ["literals beyond the end", bytes(0x30, "ab")],
  ["more literals than the page has", bytes(0x90, "abcdefghi")],
  ["a match before the beginning", bytes(0x10, "a", 2, 0, 0x00)],
  ["a match of itself", bytes(0x10, "a", 0, 0, 0x00)],
  ["a match without a distance", bytes(0x10, "a", 0)],
  ["a match that is longer than the page", bytes(0x1f, "a", 1, 0, 255, 255, 0)],
  ["a length that never ends", bytes(0xf0, 255, 255)],
])("%s is refused", (_, block) => {
  expect(() => lz4Block(block, 8)).toThrow(AppError);
  expect(() => lz4Framed(block, 8)).toThrow(AppError);
});
