import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import type { Measured } from "./measure";
import { type Ending, UPLOADS } from "./uploads";

/** Limits on the memory growth of the process, including the worker thread that reads the upload. */
const MAX_GROWTH_BYTES = 64 * 1_048_576;
const MAX_PARQUET_GROWTH_BYTES = 256 * 1_048_576;

const dir = mkdtempSync(join(tmpdir(), "groundwire-uploads-"));
afterAll(() => rmSync(dir, { recursive: true }));

const measure = async (name: string): Promise<Measured> => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "measure.ts"), name], { stderr: "inherit" });
  const lines = (await new Response(child.stdout).text()).trim().split("\n");
  expect(await child.exited).toBe(0);
  return JSON.parse(lines.at(-1) ?? "");
};

const expectEnding = ({ samples, rows, error }: Measured, ending: Ending): void => {
  if ("samples" in ending) expect({ samples, rows, error }).toEqual({ ...ending, error: undefined });
  else expect(error).toEqual({ kind: ending.kind, message: expect.stringContaining(ending.says) });
};

test.each(Object.entries(UPLOADS))(
  "%s has the expected result, in constant memory",
  async (name, { ending }) => {
    const measured = await measure(name);
    expectEnding(measured, ending);
    expect(measured.grownBytes).toBeLessThan(MAX_GROWTH_BYTES);
  },
  60_000,
);

const words = Array.from({ length: 1000 }, (_, i) => (i * 7919).toString(36));
const sentence = (i: number) => Array.from({ length: 40 }, (_, j) => words[(i * 31 + j * 17) % 1000]).join(" ");
const list = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

const random = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString("base64");
const noise = (i: number, length: number) => random.slice((i * 7919) % (random.length - length)).slice(0, length);
const columns = (count: number, make: (column: number) => string[]): Record<string, string[]> =>
  Object.fromEntries(list(count, (column) => [column === 0 ? "question" : `c${column}`, make(column)]));
const asText: Ending = { samples: 100_000, rows: 100_000 };
const tooLarge: Ending = { kind: "payload_too_large", says: "A row group of the Parquet file takes more than" };

const PARQUET: [what: string, columns: Record<string, unknown[]>, ending: Ending][] = [
  ["a row group of 60 MiB", columns(1, () => list(100_000, (i) => `${i} ${noise(i, 620)}`)), asText],
  ["a row group of 800,000 texts", columns(8, (c) => list(100_000, (i) => `${i} ${noise(i + c, 70)}`)), asText],
  ["a row group of 70 MiB", columns(1, () => list(100_000, (i) => `${i} ${noise(i, 750)}`)), tooLarge],
  ["a row group of 20 million equal texts", columns(200, () => new Array(100_000).fill("a")), tooLarge],
  [
    "100,000 rows of Parquet",
    { question: list(100_000, (i) => `${i} ${sentence(i)}`), context: list(100_000, (i) => sentence(i * 3)) },
    { samples: 100_000, rows: 100_000 },
  ],
  [
    "a Parquet file with one text of 1 MB in every row",
    { question: list(20_000, (i) => `${i}`), context: new Array(20_000).fill("x".repeat(1_000_000)) },
    { kind: "payload_too_large", says: "decompressed, the rows take more than 256 MiB." },
  ],
];

test.each(PARQUET)(
  "%s has the expected result, within 256 MiB",
  async (_, columns, ending) => {
    const path = join(dir, "upload.parquet");
    const columnData = Object.entries(columns).map(([name, data]) => ({ name, data }));
    await Bun.write(path, parquetWriteBuffer({ columnData, rowGroupSize: 100_000 }));
    const measured = await measure(path);
    expectEnding(measured, ending);
    expect(measured.grownBytes).toBeLessThan(MAX_PARQUET_GROWTH_BYTES);
  },
  60_000,
);
