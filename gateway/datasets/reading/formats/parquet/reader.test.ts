import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import { AppError } from "../../../../../lib/errors";
import { collect } from "../../../../../tests/datasets/read";
import { keepWarnings, LIMITS, listRows, noWarning } from "../../../../../tests/datasets/rows";
import { until } from "../../../../../tests/until";
import { readUpload } from "../../read-upload";
import { readSamples } from "../../samples/read-samples";
import { readParquet } from "./reader";

const FIXTURES = join(import.meta.dir, "fixtures");
const dir = mkdtempSync(join(tmpdir(), "groundwire-parquet-"));
afterAll(() => rmSync(dir, { recursive: true }));

const read = (path: string, limits = LIMITS, leftOut: string[] = []) =>
  listRows(readParquet(openSync(path, "r"), limits, new Set(leftOut), noWarning));

type WriteOptions = Parameters<typeof parquetWriteBuffer>[0];

let files = 0;
const write = (bytes: ArrayBuffer | Uint8Array): string => {
  const path = join(dir, `${files++}.parquet`);
  writeFileSync(path, new Uint8Array(bytes));
  return path;
};

const expected: Record<string, unknown>[] = readFileSync(join(FIXTURES, "expected.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

test.each(["pyarrow", "pyarrow-v1", "pyarrow-lz4", "polars", "duckdb"])(
  "rows written by %s are read back",
  async (writer) => {
    const rows = await read(join(FIXTURES, `${writer}.parquet`));
    const wanted = expected.map(({ counts, ...rest }, i) => [i + 1, writer === "polars" ? rest : { ...rest, counts }]);
    expect(rows).toEqual(wanted);
  },
);

const column = (name: string, data: unknown[], rest: Partial<ColumnSource> = {}): ColumnSource => ({
  name,
  data,
  ...rest,
});
const texts = (count: number, make: (i: number) => string) => Array.from({ length: count }, (_, i) => make(i));

describe("pages", () => {
  const data = texts(3000, (i) => `text ${i} `.repeat(i % 9));
  const compressors = { GZIP: gzipSync, BROTLI: brotliCompressSync, ZSTD: zstdCompressSync };
  test.each(["UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "ZSTD"] as const)(
    "compressed with %s are read, many per column",
    async (codec) => {
      const path = write(
        parquetWriteBuffer({
          columnData: [column("input", data)],
          codec,
          compressors,
          pageSize: 2000,
          rowGroupSize: 700,
        }),
      );
      expect(await read(path)).toEqual(data.map((input, i) => [i + 1, { input }]));
    },
  );

  test("with a list that continues on the next page are one row", async () => {
    const lists = Array.from({ length: 40 }, (_, i) => texts((i * 37) % 90, (j) => `${i}.${j}`));
    const schema: WriteOptions["schema"] = [
      { name: "root", num_children: 1 },
      { name: "contexts", num_children: 1, repetition_type: "OPTIONAL", converted_type: "LIST" },
      { name: "list", num_children: 1, repetition_type: "REPEATED" },
      { name: "element", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
    ];
    const path = write(parquetWriteBuffer({ columnData: [column("contexts", lists)], schema, pageSize: 60 }));
    expect(await read(path)).toEqual(lists.map((contexts, i) => [i + 1, { contexts }]));
  });

  test("of skipped columns are not read", async () => {
    const path = write(parquetWriteBuffer({ columnData: [column("input", ["a"]), column("image", ["PICTURE"])] }));
    writeFileSync(path, readFileSync(path, "latin1").replace("PICTURE", "\xff\xff\xff\xff\xff\xff\xff"), "latin1");
    const unreadable = "unreadable: a value here is not UTF-8 text. Write it as text, or map the column to null.";
    expect(await read(path)).toEqual([[1, { input: "a", image: unreadable }]]);
    expect(await read(path, LIMITS, ["image"])).toEqual([[1, { input: "a", image: null }]]);
  });
});

describe("limits and damaged files", () => {
  const refused = async (path: string, message: string, limits = LIMITS) => {
    const kind = expect.stringMatching(/dataset_invalid|payload_too_large/);
    await expect(read(path, limits)).rejects.toMatchObject({ kind, message: expect.stringContaining(message) });
  };
  const file = (columnData: ColumnSource[], rest: Partial<WriteOptions> = {}) =>
    write(parquetWriteBuffer({ columnData, ...rest }));

  test("a file with more rows, columns or bytes than the limits is rejected", async () => {
    const numbers = texts(20, String);
    await refused(file([column("input", numbers)]), "The file has more than 19 rows.", { ...LIMITS, maxRows: 19 });
    const two = [column("input", numbers), column("b", numbers)];
    await refused(file(two), "There are 2 columns, but the limit is 1.", { ...LIMITS, maxColumns: 1 });
    const groups = file([column("input", texts(6000, String))], { rowGroupSize: 1 });
    await refused(groups, "The footer of the file is larger than 256 KiB. Write larger row groups.");
  });

  test("a file is rejected if a dictionary value in every row takes too much memory", async () => {
    const path = file([column("input", new Array(300).fill("x".repeat(10_000)))]);
    expect(Bun.file(path).size).toBeLessThan(5000);
    await refused(path, "decompressed, the rows take more than 400 KiB.", { ...LIMITS, maxUploadBytes: 102_400 });
  });

  test("a page that decompresses to more than it declares is rejected", async () => {
    const compressors = { GZIP: () => gzipSync(Buffer.alloc(50_000_000)) };
    await refused(file([column("input", ["a", "b"])], { codec: "GZIP", compressors }), "a page can't be decoded");
  });

  test("a row group that takes more than 64 MiB decompressed is rejected, unless the column is skipped", async () => {
    const data = texts(1000, (i) => `${i}`.padEnd(70_000, "x"));
    const path = file([
      column("a", ["b"].concat(new Array(999).fill("c"))),
      column("input", data, { encoding: "PLAIN" }),
    ]);
    await refused(
      path,
      "A row group of the Parquet file takes more than 64 MiB decompressed. Write smaller row groups",
    );
    expect(await read(path, LIMITS, ["input"])).toHaveLength(1000);
    const small = file([column("input", data, { encoding: "PLAIN" })], { rowGroupSize: 500 });
    expect(await read(small)).toHaveLength(1000);
  });

  test("a row that is too long rejects only itself", async () => {
    const long = file([column("input", ["a", "x".repeat(1024), "b"])]);
    const message = "2: the row is longer than 1 KiB. Shorten it, or raise GROUNDWIRE_MAX_ROW_BYTES.";
    expect(await read(long, { ...LIMITS, maxRowBytes: 1024 })).toEqual([
      [1, { input: "a" }],
      message,
      [3, { input: "b" }],
    ]);
  });

  test("a column that can't be read loses its values after that point, and other columns and row groups are not affected", async () => {
    const data = texts(6, (i) => `text ${i}`);
    const compressors = { LZO: (bytes: Uint8Array) => bytes };
    const path = file([column("input", data), column("b", data, { codec: "LZO" })], { compressors });
    const codec = "unreadable: the column is compressed with LZO. Write the file with zstd or snappy.";
    expect(await read(path)).toEqual(data.map((input, i) => [i + 1, { input, b: codec }]));
    expect(await read(path, LIMITS, ["b"])).toEqual(data.map((input, i) => [i + 1, { input, b: null }]));
    const bad = (at: number) => {
      let page = 0;
      const compressors = { GZIP: (bytes: Uint8Array) => (page++ === at ? Buffer.from("broken") : gzipSync(bytes)) };
      const columnData = [column("input", data, { encoding: "PLAIN" }), column("b", data, { encoding: "PLAIN" })];
      return file(columnData, { codec: "GZIP", compressors, rowGroupSize: 2 });
    };
    // Two columns in three groups: page 3 contains the second column of rows 3 and 4.
    const rows = (await read(bad(3))) as [number, { input: string; b: string }][];
    expect(rows.map(([, { input }]) => input)).toEqual(data);
    expect(rows.map(([, { b }]) => b.startsWith("unreadable"))).toEqual([false, false, true, true, false, false]);
    const alone = bad(2);
    expect((await read(alone, LIMITS, ["b"])).map((row) => (Array.isArray(row) ? row[0] : row))).toEqual([
      1,
      2,
      "3: the Parquet file is damaged: a page can't be decoded. Write it again. Therefore this row and the 1 after it can't be read.",
      5,
      6,
    ]);
  });

  test("a value that can't be read rejects its row if a field needs it; in metadata only the value is left out", async () => {
    const read = async (names: [string, string]) => {
      const texts = ["one", "PICTURE", "three"];
      const path = file(names.map((name) => column(name, name === names[1] ? texts : ["a", "b", "c"])));
      writeFileSync(path, readFileSync(path, "latin1").replace("PICTURE", "\xff".repeat(7)), "latin1");
      const source = { format: "parquet", fd: openSync(path, "r"), leftOut: new Set<string>() } as const;
      const { samples, report } = await collect(readSamples(source, { limits: LIMITS, mapping: {} }));
      return { inputs: samples.map(({ input }) => input), errors: report.errors, warnings: report.warnings };
    };
    const message = "a value here is not UTF-8 text. Write it as text, or map the column to null.";
    expect(await read(["input", "answer"])).toEqual({
      inputs: ["a", "c"],
      errors: [{ line: 2, column: "answer", message }],
      warnings: [],
    });
    expect(await read(["input", "image"])).toEqual({
      inputs: ["a", "b", "c"],
      errors: [],
      warnings: [{ line: 2, column: "image", message: `${message} The value is left out.`, count: 1 }],
    });
  });

  test.each([1, 65_536, 200_000])("%d NUL bytes at the end are removed and reported", async (count) => {
    const path = file([column("input", ["a"])]);
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(count)]));
    const { warn, warnings } = keepWarnings();
    expect(await listRows(readParquet(openSync(path, "r"), LIMITS, new Set(), warn))).toEqual([[1, { input: "a" }]]);
    expect(warnings).toEqual([expect.stringContaining("NUL bytes at the end of the file are left out.")]);
  });

  test("two columns with the same name are both read", async () => {
    const rows = await read(file([column("a", ["x"]), column("a", ["y"]), column("input", ["z"])]));
    expect(rows).toEqual([[1, { a: "x", "a (2)": "y", input: "z" }]]);
  });

  test("an unsupported codec rejects the file if no other column can be read", async () => {
    const compressors = { LZO: (bytes: Uint8Array) => bytes };
    const lzo = file([column("input", ["a"])], { codec: "LZO", compressors });
    await refused(lzo, "The column is compressed with LZO. Write the file with zstd or snappy.");
  });

  const readInThread = (path: string, stallMs: number) => {
    const upload = { name: "a.parquet", bytes: Bun.file(path).stream() };
    return collect(readUpload(upload, { limits: LIMITS, spoolDir: join(dir, "spool"), stallMs }));
  };

  /** A file with a column of 1,000 strings from a dictionary of seven, "0" to "6", whose indexes are replaced. */
  const withIndexes = (hex: string): string => {
    const indexes = Buffer.from(hex, "hex");
    const replaced = ({ length }: Uint8Array) => Buffer.concat([indexes, Buffer.alloc(length - indexes.length)]);
    const pages = [(bytes: Uint8Array) => bytes, replaced];
    const compressors = { GZIP: (bytes: Uint8Array) => gzipSync(pages.shift()?.(bytes) ?? bytes) };
    const input = texts(1000, (i) => `${i % 7}`);
    return file([column("input", input, { encoding: "RLE_DICTIONARY" })], { codec: "GZIP", compressors });
  };

  test("a value that is missing from the dictionary is unreadable, not null", async () => {
    // A bit width of 8, then runs of 1 × 0, 1 × 9 and 998 × 1.
    const rows = await read(withIndexes("0802000209cc0f01"));
    const message = "the Parquet file is damaged: a value is not in its dictionary. Write it again.";
    expect(rows.slice(0, 3)).toEqual([
      [1, { input: "0" }],
      [2, { input: `unreadable: ${message}` }],
      [3, { input: "1" }],
    ]);
    expect(rows).toHaveLength(1000);
  });

  test("a page that expands beyond the memory limit rejects the upload, and its memory is freed", async () => {
    // A bit width of 1, then one run of two billion values.
    const path = withIndexes("01feffffff0f00");
    const before = process.memoryUsage.rss();
    await expect(readInThread(path, 30_000)).rejects.toMatchObject({
      kind: "payload_too_large",
      message: "The file takes too much memory when decompressed. Split it into smaller files.",
    });
    await until("the memory is freed", () => {
      Bun.gc(true);
      return process.memoryUsage.rss() - before < 256 * 1_048_576;
    });
  }, 30_000);

  test("a file that is too short, truncated, damaged or encrypted is rejected", async () => {
    const whole = readFileSync(join(FIXTURES, "pyarrow.parquet"));
    await refused(write(Buffer.from("PAR1")), "The Parquet file is damaged: it is too short.");
    await refused(write(whole.subarray(0, 5000)), "The Parquet file is damaged: it does not end with PAR1.");
    await refused(write(Buffer.from(`PAR1${"x".repeat(100)}PAR1`)), "damaged: its footer is longer than the file.");
    await refused(write(Buffer.from("PAR1xxxxPAR1")), "damaged: its footer is longer than the file.");
    await refused(write(Buffer.from("PAR1xxxx\x04\0\0\0PAR1")), "its footer can't be read");
    await refused(write(Buffer.concat([whole.subarray(0, -5), Buffer.from("PARE")])), "The file is encrypted.");
  });

  test("whichever bytes are changed, reading ends: it returns rows or rejects the file", async () => {
    const [duckdb = Buffer.of(), ...others] = ["duckdb", "pyarrow", "pyarrow-v1", "pyarrow-lz4", "polars"].map((name) =>
      readFileSync(join(FIXTURES, `${name}.parquet`)),
    );
    const change = fc.record({
      at: fc.nat(),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(duckdb, ...others),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        async (original, changes) => {
          const bytes = Buffer.from(original);
          for (const { at, bytes: other } of changes) bytes.set(other, 4 + (at % (bytes.length - 4 - other.length)));
          const outcome = await readInThread(write(bytes), 500).catch((error: unknown) => error);
          if (outcome instanceof AppError) expect(["dataset_invalid", "payload_too_large"]).toContain(outcome.kind);
          else expect(outcome).toMatchObject({ report: { format: "parquet" } });
        },
      ),
      // The example leaves a column without a name.
      { numRuns: 40, examples: [[duckdb, [{ at: 2104, bytes: Uint8Array.of(0, 183) }]]] },
    );
  }, 60_000);
});
