import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { AppError } from "../../../lib/errors";
import { type LabelledRow, parseLabelledRows, readLabelledFiles, toCodePoints, toUtf16 } from "./labelled-file";

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

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

const parse = (...lines: unknown[]) => {
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n");
  const fail = (problem: AppError) => {
    throw problem;
  };
  return Array.fromAsync(parseLabelledRows(new Blob([text]).stream(), "rows.jsonl", fail));
};

test("rows are the same however the bytes are split, with LF or CRLF, with or without a last line end", async () => {
  const answer = fc.string({ unit: "binary" });
  await fc.assert(
    fc.asyncProperty(
      fc.array(answer, { minLength: 1 }),
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      fc.integer({ min: 1, max: 9 }),
      async (answers, end, isEnded, size) => {
        const rows = answers.map((text, i) => ({ ...CORRECT, id: `q${i}`, answer: text.toWellFormed() }));
        const text = rows.map((row) => JSON.stringify(row)).join(end) + (isEnded ? end : "");
        const chunks = inChunks(Buffer.from(text), size);
        const fail = (problem: AppError) => {
          throw problem;
        };
        expect(await Array.fromAsync(parseLabelledRows(chunks, "rows.jsonl", fail))).toEqual(rows as LabelledRow[]);
      },
    ),
  );
});

test("rows are read in order; other fields and blank lines are ignored", async () => {
  const second = { ...CORRECT, id: "q1-b" };
  expect(await parse({ ...CORRECT, licence: "MIT" }, "", second, "")).toMatchObject([CORRECT, second]);
  expect(await parse(FAITHFUL)).toMatchObject([FAITHFUL]);
});

test("spans count characters in the file, and UTF-16 units afterwards", async () => {
  const [row] = await parse({ ...FAITHFUL, spans: [{ start: 6, end: 11, text: "wrote" }] });
  expect(row).toMatchObject({ spans: [{ start: 7, end: 12, text: "wrote" }] });
});

describe("errors name file, line and field", () => {
  test.each([
    ["no JSON", "{", "rows.jsonl, line 2: Expected a JSON object.", undefined],
    ["no object", "[]", "rows.jsonl, line 2: Expected a JSON object.", undefined],
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
    ["a duplicate id", CORRECT, 'The id "q1-a" is already used.', undefined],
    [
      "a row of another task",
      FAITHFUL,
      "rows.jsonl, line 2: The task is faithfulness; rows above have correctness.",
      undefined,
    ],
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
  const read = async (files: Record<string, string | Uint8Array>) => {
    const folder = await mkdtemp(join(tmpdir(), "groundwire-labels-"));
    try {
      for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
      return await readLabelledFiles(folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  };
  const lines = (...rows: unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

  test("lists only its labelled files, sorted by name", async () => {
    const files = { "faithfulness_b.jsonl": lines(FAITHFUL), "correctness_a.jsonl": lines(CORRECT) };
    expect(await read({ ...files, "similarity_c.jsonl": "{", "README.md": "" })).toMatchObject([
      { name: "correctness_a", task: "correctness", rows: [CORRECT] },
      { name: "faithfulness_b", task: "faithfulness", rows: [FAITHFUL] },
    ]);
  });

  test("with problems is rejected with one error that lists every problem by file and line", async () => {
    const error = await read({
      "correctness_a.jsonl": lines(CORRECT, CORRECT, { ...CORRECT, id: "x", label: 2 }),
      "correctness_b.jsonl": `${lines(CORRECT)}{\n`,
      "correctness_c.jsonl": "",
      "correctness_d.jsonl": Buffer.concat([Buffer.from(`${lines(CORRECT)}{}\n`), Buffer.from([0x22, 0xff, 0x22])]),
      "correctness_e.jsonl": lines(CORRECT),
      "faithfulness_f.jsonl": lines({ ...FAITHFUL, group: 5 }),
    }).catch((thrown) => thrown);
    expect(error).toMatchObject({ kind: "dataset_invalid" });
    const [head, ...problems] = error.message.split("\n").map((line: string) => line.trim());
    expect(head).toStartWith("7 problems in the files of ");
    expect(problems).toEqual([
      expect.stringContaining('correctness_a.jsonl, line 2: The id "q1-a" is already used.'),
      expect.stringContaining("correctness_a.jsonl, line 3: label must be 0 or 1"),
      "correctness_b.jsonl, line 2: Expected a JSON object.",
      "correctness_c.jsonl has no rows.",
      expect.stringContaining("correctness_d.jsonl, line 2: "),
      expect.stringContaining("correctness_d.jsonl, line 3: The text is not UTF-8."),
      expect.stringContaining("faithfulness_f.jsonl, line 1: group"),
    ]);
  });

  test("that does not exist or has no labelled files is rejected", async () => {
    const message = "/nowhere is not a folder that can be read.";
    await expect(readLabelledFiles("/nowhere")).rejects.toMatchObject({ kind: "not_found", message });
    await expect(read({ "rows.jsonl": lines(CORRECT) })).rejects.toMatchObject({ kind: "not_found" });
  });
});

test("offsets survive a round trip", () => {
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

test.skipIf(!existsSync(DATA))("the development data are read completely, with every span at its text", async () => {
  const rows = (await readLabelledFiles(DATA)).map((file) => file.rows);
  expect(rows.map(({ length }) => length)).toEqual([500, 276, 352, 100]);
  const spans = rows.flat().flatMap((row) => (row.task === "faithfulness" ? (row.spans ?? []) : []));
  expect(spans.length).toBeGreaterThan(100);
});
