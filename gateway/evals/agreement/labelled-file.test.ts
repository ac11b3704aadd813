import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
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

const parse = (...lines: unknown[]) =>
  parseLabelledRows(
    lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"),
    "rows.jsonl",
  );

test("rows are the same with LF or CRLF, with or without a final line ending", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary" }), { minLength: 1 }),
      fc.constantFrom("\n", "\r\n"),
      fc.boolean(),
      (answers, end, isEnded) => {
        const rows = answers.map((text, i) => ({ ...CORRECT, id: `q${i}`, answer: text.toWellFormed() }));
        const text = rows.map((row) => JSON.stringify(row)).join(end) + (isEnded ? end : "");
        expect(parseLabelledRows(text, "rows.jsonl")).toEqual({ rows: rows as LabelledRow[], problems: [] });
      },
    ),
  );
});

test("rows are read in order; other fields and blank lines are ignored", () => {
  const second = { ...CORRECT, id: "q1-b" };
  expect(parse({ ...CORRECT, licence: "MIT" }, "", second, "").rows).toMatchObject([CORRECT, second]);
  expect(parse(FAITHFUL).rows).toMatchObject([FAITHFUL]);
});

test("spans are converted from code points to UTF-16 offsets", () => {
  const [row] = parse({ ...FAITHFUL, spans: [{ start: 6, end: 11, text: "wrote" }] }).rows;
  expect(row).toMatchObject({ spans: [{ start: 7, end: 12, text: "wrote" }] });
});

describe("errors name file, line and field", () => {
  test.each([
    ["invalid JSON", "{", "rows.jsonl, line 2: Expected a JSON object."],
    ["JSON that is not an object", "[]", "rows.jsonl, line 2: Expected a JSON object."],
    ["another label", { ...CORRECT, id: "x", label: "yes" }, 'line 2: label must be 0 or 1, not "yes".'],
    ["another task", { ...CORRECT, id: "x", task: "style" }, "task must be"],
    ["no references", { ...CORRECT, id: "x", references: [] }, "references must have at least 1 item."],
    ["no context", { ...FAITHFUL, context: undefined }, "context"],
    ["no group", { ...CORRECT, id: "x", group: undefined }, "group"],
    ["a span beyond the end", { ...FAITHFUL, spans: [{ start: 3, end: 99 }] }, "spans.0 is not in the answer"],
    ["a span of another text", { ...FAITHFUL, spans: [{ start: 0, end: 3, text: "Bob" }] }, "spans.0"],
    ["a duplicate id", CORRECT, 'The id "q1-a" is already used.'],
    ["a row of another task", FAITHFUL, "rows.jsonl, line 2: The task is faithfulness; rows above have correctness."],
  ])("for %s", (_, line, message) => {
    const { problems } = parse(CORRECT, line);
    expect(problems).toEqual([expect.stringContaining(message)]);
    expect(problems[0]).toStartWith("rows.jsonl, line 2: ");
  });

  test("a file without rows has one problem", () => {
    expect(parse("", "").problems).toEqual(["rows.jsonl has no rows."]);
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

  test("with problems is rejected with one error that lists all of them by file and line", async () => {
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
    expect(head).toStartWith("6 problems in the files of ");
    expect(problems).toEqual([
      expect.stringContaining('correctness_a.jsonl, line 2: The id "q1-a" is already used.'),
      expect.stringContaining("correctness_a.jsonl, line 3: label must be 0 or 1"),
      "correctness_b.jsonl, line 2: Expected a JSON object.",
      "correctness_c.jsonl has no rows.",
      "correctness_d.jsonl is not UTF-8. Save it as UTF-8.",
      expect.stringContaining("faithfulness_f.jsonl, line 1: group"),
    ]);
  });

  test("that does not exist or has no labelled files is rejected", async () => {
    const message = "/nowhere is not a folder that can be read.";
    await expect(readLabelledFiles("/nowhere")).rejects.toMatchObject({ kind: "not_found", message });
    await expect(read({ "rows.jsonl": lines(CORRECT) })).rejects.toMatchObject({ kind: "not_found" });
  });
});

test("offsets are unchanged by a round trip", () => {
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

test.skipIf(!existsSync(DATA))("the development data is read completely, and every span matches its text", async () => {
  const rows = (await readLabelledFiles(DATA)).map((file) => file.rows);
  expect(rows.map(({ length }) => length)).toEqual([500, 276, 352, 100]);
  const spans = rows.flat().flatMap((row) => (row.task === "faithfulness" ? (row.spans ?? []) : []));
  expect(spans.length).toBeGreaterThan(100);
});
