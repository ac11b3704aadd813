import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import type { Measured } from "./measure";
import { type Ending, UPLOADS } from "./uploads";

/** What a process may grow by for any upload, with the Worker that reads it. */
const MAX_GROWTH_BYTES = 64 * 1_048_576;

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
  "%s: the right end, in flat memory",
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

const PARQUET: [what: string, columns: Record<string, unknown[]>, ending: Ending][] = [
  [
    "100,000 rows of Parquet",
    { question: list(100_000, (i) => `${i} ${sentence(i)}`), context: list(100_000, (i) => sentence(i * 3)) },
    { samples: 100_000, rows: 100_000 },
  ],
  [
    "a Parquet file with one text of 1 MB in every row",
    { question: list(20_000, (i) => `${i}`), context: new Array(20_000).fill("x".repeat(1_000_000)) },
    { kind: "payload_too_large", says: "unpacked, the rows take more than 256 MiB." },
  ],
];

test.each(PARQUET)(
  "%s: the right end, in flat memory",
  async (_, columns, ending) => {
    const path = join(dir, "upload.parquet");
    const columnData = Object.entries(columns).map(([name, data]) => ({ name, data }));
    await Bun.write(path, parquetWriteBuffer({ columnData }));
    const measured = await measure(path);
    expectEnding(measured, ending);
    expect(measured.grownBytes).toBeLessThan(MAX_GROWTH_BYTES);
  },
  60_000,
);
