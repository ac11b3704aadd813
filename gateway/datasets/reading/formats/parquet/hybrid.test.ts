import { expect, test } from "bun:test";
import fc from "fast-check";
import { bitWidth, readHybrid } from "./hybrid";

/** A run of a value, or groups of eight packed values, as Parquet's format lays them out. */
type Part = { run: number; value: number } | { packed: number[] };

const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);

/** Bits of the numbers, the least first, in whole bytes. */
const pack = (values: number[], width: number): number[] => {
  const bits = values.flatMap((value) => Array.from({ length: width }, (_, i) => (value >>> i) & 1));
  const byteAt = (start: number) => bits.slice(start, start + 8).reduce((byte, bit, i) => byte | (bit << i), 0);
  return Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) => byteAt(i * 8));
};

const encode = (parts: Part[], width: number): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) =>
      "run" in part
        ? [...varint(part.run << 1), ...pack([part.value], Math.ceil(width / 8) * 8)]
        : [...varint(((part.packed.length / 8) << 1) | 1), ...pack(part.packed, width)],
    ),
  );

const valuesOf = (parts: Part[]): number[] =>
  parts.flatMap((part) => ("run" in part ? new Array<number>(part.run).fill(part.value) : part.packed));

test("runs and packed values of any width come back", () => {
  const hybrid = fc.integer({ min: 1, max: 20 }).chain((width) => {
    const value = fc.integer({ min: 0, max: 2 ** width - 1 });
    const run = fc.record({ run: fc.integer({ min: 1, max: 300 }), value });
    const packed = fc.record({ packed: fc.array(value, { minLength: 8, maxLength: 8 }) });
    return fc.record({
      width: fc.constant(width),
      parts: fc.array(fc.oneof(run, packed), { minLength: 1, maxLength: 6 }),
    });
  });
  fc.assert(
    fc.property(hybrid, ({ width, parts }) => {
      const bytes = encode(parts, width);
      const output = new Uint32Array(valuesOf(parts).length);
      readHybrid(bytes, { start: 0, end: bytes.length, width }, output);
      expect([...output]).toEqual(valuesOf(parts));
    }),
  );
});

test.each<[what: string, bytes: number[]]>([
  ["no bytes", []],
  ["too few values", [...encode([{ run: 9, value: 1 }], 1)]],
  ["packed values that are cut off", [...encode([{ packed: new Array(16).fill(1) }], 1)].slice(0, 2)],
  ["a length without an end", new Array(20).fill(0x80)],
  ["runs of nothing", new Array(20).fill(0)],
  ["a run of a thousand million values", [...encode([{ run: 2 ** 29, value: 1 }], 1)]],
])("%s is damage", (_, bytes) => {
  const read = () => readHybrid(Uint8Array.from(bytes), { start: 0, end: bytes.length, width: 1 }, new Uint8Array(16));
  expect(read).toThrow("The Parquet file is damaged");
});

test("the width is that of the largest value", () => {
  expect([0, 1, 2, 3, 4, 255, 256].map(bitWidth)).toEqual([0, 1, 2, 2, 3, 8, 9]);
});
