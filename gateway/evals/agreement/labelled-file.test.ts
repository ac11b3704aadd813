import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { listLabelledFiles, parseLabelledRows, readLabelledFile } from "./labelled-file";
import { toCodePoints, toUtf16 } from "./offsets";

const CORRECT = {
  id: "q1-a",
  group: "q1",
  task: "correctness",
  question: "Who?",
  references: ["Ada"],
  answer: "Ada.",
  label: 1,
};
const FAITHFUL = {
  id: "s1-a",
  group: "s1",
  task: "faithfulness",
  question: null,
  context: "Ada wrote.",
  answer: "Ada 👋 wrote it.",
  label: 0,
};

const parse = (...lines: unknown[]) => {
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  return Array.fromAsync(parseLabelledRows(new Blob([text]).stream(), "rows.jsonl"));
};

test("rows of both tasks are read in order; other fields and blank lines are ignored", async () => {
  const rows = await parse({ ...CORRECT, licence: "MIT" }, "", FAITHFUL, "");
  expect(rows).toMatchObject([CORRECT, FAITHFUL]);
});

test("spans count characters in the file, and UTF-16 units afterwards", async () => {
  const [row] = await parse({ ...FAITHFUL, spans: [{ start: 6, end: 11, text: "wrote" }] });
  expect(row).toMatchObject({ spans: [{ start: 7, end: 12, text: "wrote" }] });
});

describe("what is wrong is named by file, line and field", () => {
  test.each([
    ["no JSON", "{", "rows.jsonl, line 2: This is no JSON object.", undefined],
    ["no object", "[]", "rows.jsonl, line 2: This is no JSON object.", undefined],
    ["another label", { ...CORRECT, id: "x", label: "yes" }, 'line 2: label must be 0 or 1, not "yes".', "/label"],
    ["another task", { ...CORRECT, id: "x", task: "style" }, "task must be", "/task"],
    ["no references", { ...CORRECT, id: "x", references: [] }, "references must have at least 1 item.", "/references"],
    ["no context", { ...FAITHFUL, context: undefined }, "context", "/context"],
    ["no group", { ...CORRECT, id: "x", group: undefined }, "group", "/group"],
    [
      "a span beyond the end",
      { ...FAITHFUL, spans: [{ start: 3, end: 99 }] },
      "spans.0 is not in the answer",
      "/spans/0",
    ],
    ["a span of another text", { ...FAITHFUL, spans: [{ start: 0, end: 3, text: "Bob" }] }, "spans.0", "/spans/0"],
    ["an id again", CORRECT, 'The id "q1-a" came before.', undefined],
  ])("%s", async (_, line, message, path) => {
    const error = await parse(CORRECT, line).catch((thrown) => thrown);
    expect(error).toMatchObject({ kind: "dataset_invalid", message: expect.stringContaining(message) });
    if (path) expect(error.detail.details).toMatchObject([{ path, line: 2 }]);
  });

  test("a file without rows", async () => {
    await expect(parse("", "")).rejects.toThrow("rows.jsonl has no rows.");
  });
});

describe("a folder", () => {
  test("gives its labelled files by name, and no others", async () => {
    const folder = await mkdtemp(join(tmpdir(), "groundwire-labels-"));
    try {
      const names = ["faithfulness_b.jsonl", "correctness_a.jsonl", "similarity_c.jsonl", "README.md"];
      for (const name of names) await writeFile(join(folder, name), `${JSON.stringify(CORRECT)}\n`);
      const files = await listLabelledFiles(folder);
      expect(files).toEqual([join(folder, "correctness_a.jsonl"), join(folder, "faithfulness_b.jsonl")]);
      expect(await readLabelledFile(files[0] ?? "")).toMatchObject([CORRECT]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("that is not there, or has none, is refused", async () => {
    await expect(listLabelledFiles("/nowhere")).rejects.toMatchObject({ kind: "not_found" });
  });
});

test("offsets survive the way there and back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(), fc.nat(), (text, a, b) => {
      const length = [...text].length;
      const [start = 0, end = 0] = [a % (length + 1), b % (length + 1)].sort((x, y) => x - y);
      const span = toUtf16(text, { start, end });
      expect(span && text.slice(span.start, span.end)).toBe([...text].slice(start, end).join(""));
      expect(span && toCodePoints(text, span)).toEqual({ start, end });
      expect(toUtf16(text, { start, end: length + 1 })).toBeUndefined();
    }),
  );
});

const DATA = join(import.meta.dir, "../../../../shared/data");

test.skipIf(!existsSync(DATA))("the development data are read whole, every span where its text stands", async () => {
  const rows = await Promise.all((await listLabelledFiles(DATA)).map(readLabelledFile));
  expect(rows.map(({ length }) => length)).toEqual([500, 276, 352, 100]);
  const spans = rows.flat().flatMap((row) => (row.task === "faithfulness" ? (row.spans ?? []) : []));
  expect(spans.length).toBeGreaterThan(100);
});
