import { afterAll, afterEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collect } from "../../../tests/datasets/read";
import { inBlocks, LIMITS } from "../../../tests/datasets/rows";
import { until } from "../../../tests/until";
import { readUpload, type UploadOptions } from "./read-upload";
import { ReadingThread } from "./thread";

const spoolDir = mkdtempSync(join(tmpdir(), "groundwire-spool-"));
afterAll(() => rmSync(spoolDir, { recursive: true }));
/** Whatever a test does, no temporary file remains. */
afterEach(() => expect(readdirSync(spoolDir)).toEqual([]));

const PATIENCE = { stallMs: 30_000 };
const read = (name: string, bytes: AsyncIterable<Uint8Array>, options: Partial<UploadOptions> = {}) =>
  readUpload({ name, bytes }, { ...PATIENCE, limits: LIMITS, spoolDir, ...options });

const row = (i: number) => `{"input":"${i} ${"x".repeat(1000)}"}\n`;
const rows = (count: number) => Array.from({ length: count }, (_, i) => row(i)).join("");
const rows5000 = rows(5000);
const parquet = Bun.file(join(import.meta.dir, "formats/parquet/fixtures/pyarrow.parquet"));

test("samples are returned in order and in batches, with the progress, and the report comes last", async () => {
  const batches = read("a.jsonl", inBlocks(rows(2000), 1000));
  let count = 0;
  for (;;) {
    const { done, value } = await batches.next();
    if (done) {
      expect(value).toMatchObject({ format: "jsonl", rows: 2000, accepted: 2000 });
      break;
    }
    for (const { input } of value.samples) expect(input).toStartWith(`${count++} `);
    expect(value.rows).toBe(count);
    expect(value.characters).toBeLessThan(300_000);
  }
  expect(count).toBe(2000);
});

test("the format is detected from the content, and mapping and schema reach the Worker", async () => {
  const schema = { properties: { input: { maxLength: 2 } } };
  const { report } = await collect(
    read("a.txt", inBlocks("a;b\nx;y\nlong;z\n"), { mapping: { a: "input", b: null }, schema }),
  );
  expect(report).toMatchObject({
    format: "csv",
    mapping: { a: "input" },
    accepted: 1,
    errors: [{ line: 3, column: "a", message: "a must have at most 2 characters." }],
  });
});

test("an upload is read from an unlinked temporary file", async () => {
  const batches = read("../../etc/passwd\0\u202e.parquet", parquet.stream(), {
    mapping: { question: "input", messages: null },
  });
  const { value } = await batches.next();
  expect(readdirSync(spoolDir)).toEqual([]);
  expect(value).toMatchObject({ rows: 40 });
  const { report } = await collect(batches);
  expect(report).toMatchObject({ format: "parquet", rows: 40, accepted: 40 });
});

/** Endless rows, and the state of their source. */
const endless = () => {
  const state = { pulled: 0, isClosed: false };
  async function* source() {
    try {
      for (;;) yield Buffer.from(row(state.pulled++));
    } finally {
      state.isClosed = true;
    }
  }
  return { state, source: source() };
};

test("the temporary file is deleted when the reader stops", async () => {
  let batchCount = 0;
  for await (const { rows } of read("a.jsonl", inBlocks(rows5000))) {
    expect(rows).toBeGreaterThan(0);
    if (++batchCount === 3) break;
  }
  expect(batchCount).toBe(3);
});

test("a limit stops reading an endless source", async () => {
  const { state, source } = endless();
  const limits = { ...LIMITS, maxUploadBytes: 1_000_000 };
  await expect(collect(read("a.jsonl", source, { limits }))).rejects.toMatchObject({
    kind: "payload_too_large",
    message: "The upload is larger than 976.6 KiB. Split it, or raise GROUNDWIRE_MAX_UPLOAD_BYTES.",
  });
  expect(state.pulled).toBeLessThan(1100);
  await until("the source is closed", () => state.isClosed);
});

test("an error in the Worker keeps its kind and position", async () => {
  const reading = collect(read("a.csv", inBlocks("\n__proto__\nx\n")));
  await expect(reading).rejects.toMatchObject({
    kind: "dataset_invalid",
    message: "Line 2: no column has a name. Name them in the first line.",
    detail: { details: [{ path: "", line: 2 }] },
  });
});

test.each([
  ["an empty file", "", "The file is empty."],
  ["a zip archive", "PK\x03\x04", "Line 1: the file is a ZIP archive"],
])("%s is rejected before a Worker is started", async (_, content, message) => {
  await expect(collect(read("a.csv", inBlocks(content)))).rejects.toThrow(message);
});

test("damaged Parquet is rejected, and the temporary file is deleted", async () => {
  const damaged = inBlocks((await parquet.bytes()).subarray(0, 9000));
  await expect(collect(read("a.parquet", damaged))).rejects.toThrow("The Parquet file is damaged");
});

test("an aborted signal stops reading at any point", async () => {
  for (const batchesBefore of [0, 1, 5]) {
    const controller = new AbortController();
    const reading = async () => {
      let batchCount = 0;
      if (batchesBefore === 0) controller.abort();
      for await (const _ of read("a.jsonl", inBlocks(rows5000), { signal: controller.signal })) {
        if (++batchCount === batchesBefore) controller.abort();
      }
    };
    await expect(reading()).rejects.toMatchObject({ kind: "client_closed" });
  }
});

test("an aborted signal stops writing an endless source to the temporary file", async () => {
  const { state, source } = endless();
  const signal = AbortSignal.abort();
  await expect(collect(read("a.jsonl", source, { signal }))).rejects.toMatchObject({ kind: "client_closed" });
  await until("the source is closed", () => state.isClosed);
});

test("a stalled source is aborted after its timeout", async () => {
  async function* stuck() {
    yield Buffer.from(rows(100));
    await new Promise(() => undefined);
  }
  await expect(collect(read("a.jsonl", stuck(), { stallMs: 1000 }))).rejects.toMatchObject({
    kind: "deadline_exceeded",
    message: "The upload stalled. Send it again.",
  });
});

test("an error of the source is passed on", async () => {
  async function* broken() {
    yield Buffer.from(rows(100));
    throw new Error("the database is gone");
  }
  await expect(collect(read("a.jsonl", broken()))).rejects.toThrow("the database is gone");
});

test("a crash of the Worker is an internal error whose cause is logged", async () => {
  const job = { limits: LIMITS, mapping: {}, format: "parquet" as const, fd: 9999 };
  using thread = new ReadingThread(PATIENCE, "It stalled.");
  const reply = await thread.ask({ kind: "job", job });
  expect(reply).toMatchObject({
    kind: "refused",
    error: { kind: "internal", stack: expect.stringContaining("EBADF") },
  });
});

test("a Worker that computes endlessly is terminated", async () => {
  /** Each definition refers to the next one twice: 2^60 checks for one row. */
  const $defs = Object.fromEntries(
    Array.from({ length: 60 }, (_, i) => [
      `d${i}`,
      { allOf: [{ $ref: `#/$defs/d${i + 1}` }, { $ref: `#/$defs/d${i + 1}` }] },
    ]),
  );
  const schema = { $defs: { ...$defs, d60: true }, $ref: "#/$defs/d0" };
  const reading = collect(read("a.jsonl", inBlocks(row(1)), { schema, stallMs: 500 }));
  await expect(reading).rejects.toMatchObject({
    kind: "deadline_exceeded",
    message: "Reading the upload stalled. Try again with smaller files.",
  });
});
