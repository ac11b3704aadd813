import { expect, test } from "bun:test";
import { checkPages, GroupMemory, type Leaf } from "./pages";

/* Pages laid out by hand: thrift's compact protocol for the header, then the page. */

const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
/** Fields 1, 2 … of a struct; undefined leaves one out. */
const struct = (fields: readonly (number | number[] | undefined)[]): number[] => {
  let last = 0;
  const bytes = fields.flatMap((field, i) => {
    if (field === undefined) return [];
    const delta = (i + 1 - last) << 4;
    last = i + 1;
    return typeof field === "number"
      ? [delta | 5, ...varint(field < 0 ? -2 * field - 1 : 2 * field)]
      : [delta | 12, ...field];
  });
  return [...bytes, 0];
};

const ENCODINGS = { PLAIN: 0, DELTA_BYTE_ARRAY: 7, RLE_DICTIONARY: 8, BIT_PACKED: 4 };
const [DATA, DICTIONARY, DATA_V2] = [0, 2, 3];

const dataPage = (count: number, encoding: keyof typeof ENCODINGS, body: number[]): number[] => [
  ...struct([DATA, body.length, body.length, undefined, struct([count, ENCODINGS[encoding], 3, 3])]),
  ...body,
];
const dictionaryPage = (count: number, body: number[]): number[] => [
  ...struct([DICTIONARY, body.length, body.length, undefined, undefined, undefined, struct([count, 0])]),
  ...body,
];
const dataPageV2 = (count: number, nulls: number, levels: number[], body: number[]): number[] => {
  const size = levels.length + body.length;
  const header = struct([count, nulls, count, ENCODINGS.PLAIN, levels.length, 0]);
  return [...struct([DATA_V2, size, size, ...new Array(4).fill(undefined), header]), ...levels, ...body];
};

const REQUIRED: Leaf = { column: "a", type: "BYTE_ARRAY", codec: "UNCOMPRESSED", definition: 0, repeated: [0] };
const OPTIONAL: Leaf = { ...REQUIRED, definition: 1 };

const check = (pages: number[], leaf: Leaf, count = 10_000) =>
  checkPages(Uint8Array.from(pages), count, leaf, new GroupMemory());

const text = [1, 0, 0, 0, 97];
/** Levels of version 1: their length, then a run of ones. */
const ones = (run: number): number[] => {
  const levels = [...varint(run * 2), 1];
  return [levels.length, 0, 0, 0, ...levels];
};

test("pages that are whole are handed on unpacked", () => {
  const { unpacked, failure } = check([...dataPage(1, "PLAIN", text), ...dataPage(1, "PLAIN", text)], REQUIRED);
  expect(failure).toBeUndefined();
  expect([...unpacked.values()].map((page) => [...page])).toEqual([text, text]);
});

test("bytes after the last value are cut off", () => {
  const page = dataPage(1, "PLAIN", text);
  expect(check([...page, ...page], REQUIRED, 1).buffer.byteLength).toBe(page.length);
});

test.each<[what: string, page: number[], leaf: Leaf, message: string]>([
  [
    "a run of levels that is longer than the page",
    dataPage(2, "PLAIN", [...ones(2 ** 29), ...text]),
    OPTIONAL,
    "longer",
  ],
  ["levels that go on behind the page", dataPage(2, "PLAIN", [99, 0, 0, 0, 4, 1]), OPTIONAL, "size"],
  ["more nulls than values", dataPageV2(2, 3, [4, 1], text), OPTIONAL, "too few values"],
  ["fewer nulls than none", dataPageV2(2, -(2 ** 30), [4, 1], text), OPTIONAL, "too few values"],
  ["a page before its dictionary", dataPage(1, "RLE_DICTIONARY", [1, 2, 0]), REQUIRED, "before its dictionary"],
  [
    "an index beyond the dictionary",
    [...dictionaryPage(1, text), ...dataPage(1, "RLE_DICTIONARY", [1, 2, 1])],
    REQUIRED,
    "not in its dictionary",
  ],
  [
    "a run of indexes that is longer than the page",
    [...dictionaryPage(1, text), ...dataPage(1, "RLE_DICTIONARY", [1, ...varint(2 ** 30), 0])],
    REQUIRED,
    "longer",
  ],
  ["an encoding that is not read", dataPage(1, "BIT_PACKED", text), REQUIRED, "BIT_PACKED is not supported"],
  [
    "a page that is both data and a dictionary",
    struct([DATA, 0, 0, undefined, struct([1, 0, 3, 3]), undefined, struct([1, 0])]),
    REQUIRED,
    "another type",
  ],
  ["a size below zero", struct([DATA, -1, -1, undefined, struct([1, 0, 3, 3])]), REQUIRED, "size"],
  ["a header that ends too early", dataPage(1, "PLAIN", text).slice(0, 8), REQUIRED, "can't be decoded"],
])("%s: the pages before it are kept", (_, page, leaf, message) => {
  const good = leaf === OPTIONAL ? dataPage(1, "PLAIN", [...ones(1), ...text]) : dataPage(1, "PLAIN", text);
  const { buffer, unpacked, failure } = check([...good, ...page], leaf);
  expect(failure?.message).toContain(message);
  expect(unpacked.size).toBeGreaterThan(0);
  expect([...new Uint8Array(buffer, 0, good.length)]).toEqual(good);
});

test.each<[what: string, page: number[]]>([
  ["values", dataPage(100_000_000, "PLAIN", text)],
  ["values in a dictionary", dictionaryPage(100_000_000, text)],
])("more %s than fit into memory", (_, page) => {
  expect(() => check(page, REQUIRED)).toThrow("A row group of the Parquet file takes more than 160 MiB unpacked.");
});
