import { describe, expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import { readText } from "../../../../tests/datasets/read";
import { LIMITS } from "../../../../tests/datasets/rows";
import { keyOfContent } from "../../content";
import { ValidationReport } from "../../contract";

const jsonl = (...rows: unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
const errorsOf = async (...[format, text, options]: Parameters<typeof readText>) => {
  const { report } = await readText(format, text, options);
  return report.errors.map(({ line, column, message }) => [line, column, message]);
};

describe("columns become fields", () => {
  test("in CSV, an empty cell means no value, lists and objects are JSON, other text is one item", async () => {
    const text = [
      "id,question,answers,contexts,response,group,tags,metadata,topic",
      `1,Why?,"[""a"",""b""]",,,,"[""x"",""x""]","{""level"":2,""deep"":{""a"":[1]}}",law`,
      `2,[1] says what?,[1] says,one text,,g,x,,`,
    ].join("\n");
    const { samples, report } = await readText("csv", text);
    expect(report.errors).toEqual([]);
    expect(samples).toMatchObject([
      {
        key: "1",
        input: "Why?",
        references: ["a", "b"],
        contexts: [],
        output: null,
        group: null,
        tags: ["x"],
        metadata: { level: 2, deep: '{"a":[1]}', topic: "law" },
      },
      { key: "2", input: "[1] says what?", references: ["[1] says"], contexts: ["one text"], group: "g", metadata: {} },
    ]);
  });

  test("in JSON, values keep their types, and numbers and booleans become text in text fields", async () => {
    const { samples, report } = await readText(
      "jsonl",
      jsonl(
        { id: 7, question: "2 + 2?", answer: 4, label: 1, ok: true, note: null, spans: [{ at: 1 }] },
        { id: "8", question: true, answer: ["4", 4], output: "", metadata: { a: [1], b: 1.5 } },
      ),
    );
    expect(report.errors).toEqual([]);
    expect(samples).toMatchObject([
      {
        key: "7",
        input: "2 + 2?",
        references: ["4"],
        metadata: { label: 1, ok: true, note: null, spans: '[{"at":1}]' },
      },
      { key: "8", input: "true", references: ["4", "4"], output: "", metadata: { a: "[1]", b: 1.5 } },
    ]);
  });

  test("the input may be a chat's messages, in CSV as JSON", async () => {
    const messages = [{ role: "user" as const, content: "Hi" }];
    const { samples } = await readText("jsonl", jsonl({ messages }, { messages: "Ho" }));
    expect(samples.map(({ input }) => input)).toEqual([messages, "Ho"]);
    const csv = await readText("csv", `messages\n"${JSON.stringify(messages).replaceAll('"', '""')}"\n`);
    expect(csv.samples[0]?.input).toEqual(messages);
  });

  test("rows that are already samples are unchanged", async () => {
    const row = {
      key: "k",
      input: [{ role: "user", content: "Hi" }],
      references: ["a"],
      contexts: ["c"],
      output: "o",
      group: "g",
      tags: ["t"],
      metadata: { n: 1, nothing: null },
    };
    const { samples } = await readText("json", JSON.stringify({ samples: [row] }));
    expect(samples).toMatchObject([row]);
  });

  test.each<[format: "csv" | "jsonl", cell: string, metadata: object]>([
    ["csv", "chapter 3", { metadata: "chapter 3" }],
    ["csv", "{'a': 1}", { metadata: "{'a': 1}" }],
    ["csv", "{broken", { metadata: "{broken" }],
    ["csv", "[1.50]", { metadata: "[1.50]" }],
    ["csv", "null", {}],
    ["csv", "", {}],
    ["csv", '"{""a"":1.50}"', { a: 1.5 }],
    ["jsonl", '"chapter 3"', { metadata: "chapter 3" }],
    ["jsonl", "12345678901234567890", { metadata: "12345678901234567890" }],
    ["jsonl", "[1.50]", { metadata: "[1.50]" }],
    ["jsonl", "true", { metadata: true }],
    ["jsonl", "null", {}],
    ["jsonl", "{}", {}],
  ])("a metadata column is an object, or one value of that name: %s %s", async (format, cell, metadata) => {
    const text = format === "csv" ? `input,metadata,n\nq,${cell},\n` : `{"input":"q","metadata":${cell}}\n`;
    const { samples, report } = await readText(format, text);
    expect(samples).toMatchObject([{ metadata }]);
    expect(Object.keys(samples[0]?.metadata ?? {})).toEqual(Object.keys(metadata));
    expect(report.errors).toEqual([]);
  });

  test("as mapped by the caller: other fields, several columns to a list, skipped columns, renamed metadata", async () => {
    const mapping = { a: "input", b: "contexts", c: "contexts", question: "metadata.q", id: null };
    const { samples, report } = await readText("csv", "id,question,a,b,c\n1,Why?,x,one,two\n", { mapping });
    expect(samples).toMatchObject([{ input: "x", contexts: ["one", "two"], metadata: { q: "Why?" } }]);
    expect(report.columns).toEqual(["id", "question", "a", "b", "c"]);
    expect(report.mapping).toEqual({ question: "metadata.q", a: "input", b: "contexts", c: "contexts" });
  });

  test("columns that first occur in later rows are guessed there", async () => {
    const { report } = await readText("jsonl", jsonl({ question: "a" }, { question: "b", topic: "t", answer: "x" }));
    expect(report.columns).toEqual(["question", "topic", "answer"]);
    expect(report.mapping).toEqual({ question: "input", topic: "metadata.topic", answer: "references" });
  });

  test.each<[mapping: Record<string, string>, message: string]>([
    [{ a: "inptu" }, 'mapping: "inptu" is not a sample field. Did you mean input?'],
    [{ a: "something" }, 'mapping: "something" is not a sample field. Fields: key, input, references'],
    [{ a: "metadata.__proto__" }, 'mapping: "__proto__" is not allowed as a metadata name.'],
    [{ a: "input", b: "input" }, 'mapping: input takes one value, but the columns "a" and "b" both map to it.'],
    [{ a: "metadata.x", b: "metadata.x" }, "mapping: metadata.x takes one value"],
    [{ a: "input", z: "output" }, 'mapping: the file has no column "z". It has a, b.'],
  ])("the mapping %j is rejected: %s", async (mapping, message) => {
    for (const [format, text] of [
      ["csv", "a,b\n1,2\n"],
      ["jsonl", jsonl({ a: "1", b: "2" })],
    ] as const) {
      const reading = readText(format, text, { mapping });
      await expect(reading).rejects.toMatchObject({ kind: "invalid_request", detail: { param: "mapping" } });
      await expect(readText(format, text, { mapping })).rejects.toThrow(message);
    }
  });

  test("a header without an input column rejects every row as one problem, with example values", async () => {
    const { samples, report } = await readText("csv", "a,b\n1,2\n1,3\n");
    expect(samples).toEqual([]);
    expect(report).toMatchObject({ rows: 2, accepted: 0, rejected: 2, error_count: 1 });
    const message = 'no column has the input. Name one of "a", "b" input, or map one to it.';
    expect(report.errors).toEqual([{ line: 2, column: null, message }]);
    expect(report.examples).toEqual({ a: ["1"], b: ["2", "3"] });
  });

  test.each([
    ["jsonl", '{"foo":1}\n{"bar":2}\n', '"foo", "bar"', 2],
    ["json", '[{"foo":1},{"foo":2}]', '"foo"', 2],
    ["jsonl", '{"rows":[{"question":"q"}]}', '"rows"', 1],
  ] as const)(
    "%s without an input is one problem of the file, which names the columns: %s",
    async (format, text, names, rows) => {
      const { samples, report } = await readText(format, text);
      expect(samples).toEqual([]);
      expect(report).toMatchObject({ rows, accepted: 0, rejected: rows, error_count: 1 });
      const message = `no column has the input. Name one of ${names} input, or map one to it.`;
      expect(report.errors).toEqual([{ line: 1, column: null, message }]);
    },
  );

  test("JSON rows before the first one with an input are each reported", async () => {
    const { report } = await readText("jsonl", jsonl({ foo: 1 }, { foo: 2 }, { input: "a" }, { foo: 3 }));
    expect(report).toMatchObject({ rows: 4, accepted: 1, rejected: 3, error_count: 3 });
    expect(report.errors.map(({ line }) => line)).toEqual([1, 2, 4]);
    expect(new Set(report.errors.map(({ message }) => message))).toEqual(new Set(["input is empty."]));
  });

  test.each([
    [{ text: ["a", "b"], answer_start: [1, 5] }, ["a", "b"]],
    [{ text: [], answer_start: [] }, []],
    [{ text: "a", answer_start: 1 }, ["a"]],
    [
      [
        { text: "a", answer_start: 1 },
        { text: "b", answer_start: 5 },
      ],
      ["a", "b"],
    ],
    ["a", ["a"]],
    [12, ["12"]],
    [
      ["a", 12],
      ["a", "12"],
    ],
  ])("the answers %j become the references %j, in CSV cells too", async (answers, references) => {
    const isText = typeof answers !== "object";
    const cell = isText ? String(answers) : `"${JSON.stringify(answers).replaceAll('"', '""')}"`;
    for (const [format, text] of [
      ["jsonl", jsonl({ question: "q", answers })],
      ["csv", `question,answers\nq,${cell}\n`],
    ] as const) {
      const { samples, report } = await readText(format, text);
      expect(report.errors).toEqual([]);
      if (format === "csv" && !isText && !Array.isArray(answers) && typeof answers.text === "string") continue;
      expect(samples.map((sample) => sample.references)).toEqual([references]);
    }
  });

  test("an object in a CSV cell that doesn't contain answers stays text", async () => {
    const { samples } = await readText("csv", 'question,answers\nq,"{""a"": 1}"\n');
    expect(samples[0]?.references).toEqual(['{"a": 1}']);
  });

  test("the line below the header of a Markdown table is not a sample", async () => {
    const { samples, report } = await readText("csv", "| question | answer |\n|---|:---:|\n| q | a |\n");
    expect(samples).toHaveLength(1);
    expect(report.warnings.map(({ message }) => message)).toContain(
      "the line below the header of a Markdown table is left out.",
    );
  });

  test.each([
    ["\x1a", /end-of-file mark \(Ctrl-Z\)/],
    ["\0\x1a\0", /NUL bytes/],
  ])("%j at the end is reported for what it is", async (end, message) => {
    const { report } = await readText("csv", `question\nq\n${end}`);
    expect(report.warnings.map((warning) => warning.message)).toEqual([expect.stringMatching(message)]);
  });

  test.each(["csv", "jsonl"] as const)("%s columns that can't be fields are left out and reported", async (format) => {
    const read = async (columns: string[], mapping = {}) => {
      const row = Object.fromEntries(["input", ...columns].map((name) => [name, "x"]));
      const csv = `${["input", ...columns]}\n${["x", ...columns.map(() => "x")]}\n`;
      const { samples, report } = await readText(format, format === "csv" ? csv : jsonl(row), { mapping });
      expect([report.accepted, report.rejected]).toEqual([1, 0]);
      return { metadata: Object.keys(samples[0]?.metadata ?? {}), warnings: report.warnings };
    };
    const long = await read(["x".repeat(65), "y".repeat(201), "z"]);
    expect(long.metadata).toEqual(["z"]);
    expect(long.warnings.map(({ message }) => message.slice(0, 50))).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^a metadata name is limited to 64 characters/),
        expect.stringMatching(/^a column name is longer than 200/),
      ]),
    );
    expect((await read([""])).metadata).toEqual([]);
    expect((await read([""])).warnings).toHaveLength(1);
    const double = await read(["topic", "metadata.topic"]);
    expect(double).toMatchObject({ metadata: ["topic"], warnings: [{ column: "metadata.topic" }] });
    const wide = Array.from({ length: 66 }, (_, i) => `c${i}`);
    expect((await read(wide)).metadata).toEqual(wide.slice(0, 64));
    expect((await read(wide)).warnings.map(({ column }) => column)).toEqual(["c64", "c65"]);
    expect((await read(wide, { c0: null, c1: null })).metadata).toEqual(wide.slice(2));
  });

  test("a metadata name that the row already uses is a problem of that row", async () => {
    expect(await errorsOf("jsonl", jsonl({ input: "a", topic: 1, metadata: { topic: 2 } }))).toEqual([
      [1, "topic", 'metadata already has a value named "topic". Map one of them to another name.'],
    ]);
  });
});

describe("rows are checked", () => {
  test("each problem has its line and column, and is worded as in the API", async () => {
    const text = jsonl(
      { question: "a" },
      { question: " " },
      { question: null },
      { answer: "x" },
      { question: "b", answer: { value: "x" } },
      { question: "c", answer: ["x", null], topic: "y".repeat(2001) },
      { question: [{ role: "robot", content: "x" }] },
      { question: [{ role: "user", content: "x", tool_calls: [{}] }] },
    );
    expect(await errorsOf("jsonl", text)).toEqual([
      [2, "question", "question is empty."],
      [3, "question", "question is empty."],
      [4, "question", "question is empty."],
      [
        5,
        "answer",
        'answer must be a list, not an object. Write a string or a list of strings. References may also be {"text": ["…"]}, as in SQuAD.',
      ],
      [6, "answer", "answer.1 must be a string, not null."],
      [6, "topic", "topic must have at most 2000 characters, not 2001."],
      [7, "question", 'question.0.role must be "system", "developer", "user" or "assistant", not "robot".'],
      [8, "question", "question.0.tool_calls: `tool_calls` is not a field of `input.0`. Fields: role, content, name."],
    ]);
  });

  test("text that UTF-8 can't encode and invalid metadata names are rejected", async () => {
    const text = [
      '{"input": "a\\u0000b"}',
      '{"input": "x", "answer": ["fine", "\\ud800"]}',
      '{"input": "x", "metadata": {"a/b": "\\udfff"}}',
      `{"input": "x", "metadata": {"${"n".repeat(65)}": 1}}`,
      '{"input": "😀"}',
    ].join("\n");
    expect(await errorsOf("jsonl", text)).toEqual([
      [1, "input", "input contains a NUL character. Remove it."],
      [2, "answer", "answer.1 contains an unpaired surrogate. Remove it."],
      [3, "metadata", "metadata.a/b contains an unpaired surrogate. Remove it."],
      [4, "metadata", "metadata has a name longer than 64 characters."],
    ]);
  });

  test("the same key is an error with different content, and a duplicate with the same content", async () => {
    const text = jsonl(
      { id: "1", input: "a" },
      { id: "1", input: "a" },
      { id: "1", input: "b" },
      { id: "2", input: "b" },
    );
    const { samples, report } = await readText("jsonl", text);
    expect(samples.map(({ key, input }) => [key, input])).toEqual([
      ["1", "a"],
      ["2", "b"],
    ]);
    expect(report.errors).toEqual([
      { line: 3, column: "id", message: 'id "1" is already used on line 1 with different content.' },
    ]);
    expect(report).toMatchObject({ rows: 4, accepted: 2, rejected: 1, duplicates: { exact: 1, near: 0 } });
  });

  test("a sample without a key gets one from its content", async () => {
    const [sample] = (await readText("jsonl", jsonl({ input: "a" }))).samples;
    expect(sample?.key).toBe(keyOfContent(sample?.hash ?? ""));
  });
});

describe("the report", () => {
  test("describes the content of the file", async () => {
    const text = [
      "question,answer,topic",
      "What is the capital of France?,Paris,geo",
      "what is the capital of  FRANCE,Paris.,geo",
      "What is the capital of France?,Paris,geo",
      "Why?,,",
      ",x,y",
      "only one cell",
    ].join("\r\n");
    const { report } = await readText("csv", text);
    expect(Value.Errors(ValidationReport, report).First()).toBeUndefined();
    expect(report).toEqual({
      format: "csv",
      rows: 6,
      accepted: 3,
      rejected: 2,
      columns: ["question", "answer", "topic"],
      mapping: { question: "input", answer: "references", topic: "metadata.topic" },
      error_count: 2,
      errors: [
        { line: 6, column: "question", message: "question is empty." },
        { line: 7, column: null, message: "the row has 1 cell, but the header has 3. Add the missing cells." },
      ],
      warnings: [],
      examples: {
        question: ["What is the capital of France?", "what is the capital of  FRANCE", "Why?"],
        answer: ["Paris", "Paris.", "x"],
        topic: ["geo", "y"],
      },
      duplicates: { exact: 1, near: 1 },
      empty: { input: 1, references: 1, "metadata.topic": 1 },
      lengths: {
        input: { min: 4, p50: 30, p95: 30, max: 30 },
        references: { min: 5, p50: 5, p95: 6, max: 6 },
      },
      preview: [
        {
          key: expect.any(String),
          input: "What is the capital of France?",
          references: ["Paris"],
          metadata: { topic: "geo" },
        },
        {
          key: expect.any(String),
          input: "what is the capital of  FRANCE",
          references: ["Paris."],
          metadata: { topic: "geo" },
        },
        { key: expect.any(String), input: "Why?" },
      ],
    });
  });

  test("keeps the first 1,000 errors and 20 samples, and counts them all", async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => (i % 2 ? { input: `sample ${i}` } : { input: "" }));
    const { report } = await readText("jsonl", jsonl(...rows));
    expect(report).toMatchObject({ rows: 3000, accepted: 1500, rejected: 1500, error_count: 1500 });
    expect(report.errors).toHaveLength(1000);
    expect(report.errors.at(-1)).toMatchObject({ line: 1999 });
    expect(report.preview.map(({ input }) => input)).toEqual(
      Array.from({ length: 20 }, (_, i) => `sample ${i * 2 + 1}`),
    );
  });

  test("truncates long texts and lists in the preview, but not in the sample", async () => {
    const row = { input: "😀".repeat(400), contexts: Array.from({ length: 30 }, (_, i) => `${i}`) };
    const { samples, report } = await readText("jsonl", jsonl(row));
    expect(samples).toMatchObject([row]);
    expect(report.preview).toMatchObject([{ input: `${"😀".repeat(250)}…`, contexts: row.contexts.slice(0, 10) }]);
    const odd = await readText("jsonl", jsonl({ input: `x${row.input}` }));
    expect(odd.report.preview).toMatchObject([{ input: `x${"😀".repeat(249)}…` }]);
  });

  test("compares only words to find near duplicates; different symbols, numbers or metadata make a different sample", async () => {
    const near = jsonl({ input: "Is 2+2=4?" }, { input: "is 2+2=4" }, { input: "Is 2 + 2 = 4!" });
    expect((await readText("jsonl", near)).report.duplicates).toEqual({ exact: 0, near: 2 });
    const different = jsonl({ input: "2+2" }, { input: "2<2" }, { input: "22" }, { input: "2+2", topic: "x" });
    expect((await readText("jsonl", different)).report.duplicates).toEqual({ exact: 0, near: 0 });
  });
});

describe("limits", () => {
  test("the first row over the limit is rejected with its line", async () => {
    const limits = { ...LIMITS, maxRows: 3 };
    const rows = [{ input: "a" }, { input: "b" }, { input: "" }];
    expect((await readText("jsonl", jsonl(...rows), { limits })).report.rows).toBe(3);
    const more = readText("jsonl", `\n${jsonl(...rows, { input: "c" })}`, { limits });
    await expect(more).rejects.toMatchObject({
      kind: "payload_too_large",
      message: "Line 5: the file has more than 3 rows. Split it, or raise GROUNDWIRE_MAX_DATASET_ROWS.",
    });
  });

  test("columns that differ in every row are counted together", async () => {
    const limits = { ...LIMITS, maxColumns: 3 };
    const rows = [
      { input: "a", b: 1 },
      { input: "a", c: 1 },
      { input: "a", d: 1 },
    ];
    await expect(readText("jsonl", jsonl(...rows), { limits })).rejects.toThrow(
      "Line 3: the file has more than 3 distinct columns by this line.",
    );
  });

  test.each(["", "\n\n", "question\n", "question\r\n\r\n"])("%j has no rows", async (text) => {
    await expect(readText("csv", text)).rejects.toMatchObject({
      kind: "dataset_invalid",
      message: "The file has no rows. Upload a file with rows.",
    });
  });
});

describe("one invalid byte rejects its row", () => {
  const latin1 = (text: string) => Buffer.from(text, "latin1");
  const notUtf8 = "contains a byte that is not UTF-8. Save the file as UTF-8.";
  test.each<[format: "csv" | "jsonl" | "json", content: Buffer, accepted: number, errors: [number, string, string][]]>([
    ["csv", latin1("question,answer\nA?,a\nCaf\xe9?,b\nC?,c\n"), 2, [[3, "question", `question ${notUtf8}`]]],
    ["csv", latin1("question,answer\nA?,caf\xe9\n"), 0, [[2, "answer", `answer.0 ${notUtf8}`]]],
    ["csv", latin1("question,topic\nA?,caf\xe9\nB?,x\n"), 1, [[2, "topic", `topic ${notUtf8}`]]],
    ["csv", latin1("question,caf\xe9\nA?,1\n"), 1, []],
    ["jsonl", latin1('{"input":"\xff"}\n{"input":"b"}\n'), 1, [[1, "input", `input ${notUtf8}`]]],
    ["jsonl", latin1('{"input":"a","\xff":1}\n{"input":"b"}\n'), 2, []],
    ["json", latin1('[{"input":"\xe4"},{"input":"b"}]'), 1, [[1, "input", `input ${notUtf8}`]]],
    ["csv", latin1("input\na\0b\nc\n"), 1, [[2, "input", "input contains a NUL character. Remove it."]]],
    ["csv", latin1("input\na\nb\n\0\0\0\0"), 2, []],
    ["jsonl", latin1('{"input":"a"}\n\0\0'), 1, []],
    ["json", latin1('[{"input":"a"}]\0'), 1, []],
  ])("in %s (case %#)", async (format, content, accepted, errors) => {
    const { report } = await readText(format, content);
    expect(report.accepted).toBe(accepted);
    expect(report.errors.map(({ line, column, message }) => [line, column, message])).toEqual(errors);
  });

  test("an invalid byte in a skipped column is ignored", async () => {
    const { report } = await readText("csv", latin1("input,b\na,\xff\n"), { mapping: { b: null } });
    expect([report.accepted, report.errors]).toEqual([1, []]);
  });
});
