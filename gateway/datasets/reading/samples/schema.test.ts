import { describe, expect, test } from "bun:test";
import { readText } from "../../../../tests/datasets/read";
import { checkSampleSchema, compileSampleSchema } from "./schema";

const refusal = (schema: unknown): string => {
  try {
    checkSampleSchema(schema);
  } catch (error) {
    expect(error).toMatchObject({ kind: "invalid_request", detail: { param: "schema" } });
    return error instanceof Error ? error.message : "";
  }
  throw new Error("It was not rejected.");
};

describe("a schema is checked immediately", () => {
  test.each<[schema: unknown, says: string]>([
    ["text", "schema: it must be an object."],
    [[], "schema: it must be an object."],
    [{ type: "strng" }, 'schema: type must be one of "array", "boolean",'],
    [{ properties: 5 }, "schema: properties must be an object."],
    [{ properties: { input: { minLength: -1 } } }, "schema: properties.input.minLength must be 0 or more."],
    [{ requried: ["input"] }, 'schema: "requried" is not a keyword of JSON Schema. Check its spelling.'],
    [
      { $ref: "https://example.com/other.json" },
      "schema: the reference https://example.com/other.json leads nowhere. Refer to",
    ],
    [{ $schema: "http://json-schema.org/draft-04/schema#" }, "$schema must be draft 2020-12 or draft-07"],
    [{ $async: true }, "$async is not supported"],
    [{ properties: { input: { pattern: "(" } } }, "missing closing )"],
    [{ properties: { input: { pattern: "^(?!no)" } } }, "invalid or unsupported Perl syntax"],
    [{ properties: { input: { pattern: "(a{1000}){1000}" } } }, "invalid repeat count"],
    [
      { properties: { input: { allOf: Array.from({ length: 1200 }, (_, n) => ({ pattern: `x{${n}}` })) } } },
      "too much",
    ],
    [{ description: "x".repeat(70_000) }, "it is larger than 64 KiB"],
  ])("%j is rejected: %s", (schema, says) => {
    expect(refusal(schema)).toContain(says);
  });

  test("both drafts are supported, each with its own keywords", () => {
    checkSampleSchema({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      properties: { tags: { prefixItems: [{ const: "a" }] } },
    });
    checkSampleSchema({ $schema: "http://json-schema.org/draft-07/schema#", definitions: { a: true } });
    expect(refusal({ $schema: "http://json-schema.org/draft-07/schema#", prefixItems: [] })).toContain("prefixItems");
  });
});

test("rows that don't match are rejected, with line and column", async () => {
  const schema = {
    required: ["references", "metadata"],
    properties: {
      references: { maxItems: 1 },
      metadata: {
        required: ["topic"],
        properties: { topic: { enum: ["law", "geo"] }, year: { type: "integer", minimum: 1900 } },
        additionalProperties: false,
      },
    },
  };
  const rows = [
    { question: "a", answer: "x", topic: "law", year: 2000 },
    { question: "b", topic: "law" },
    { question: "c", answer: "x", topic: "sport" },
    { question: "d", answer: "x", topic: "geo", year: 3.5 },
    { question: "e", answer: "x", year: 1999 },
    { question: "e", answer: "x" },
    { question: "f", answer: ["x", "y"], topic: "geo" },
    { question: "g", answer: "x", topic: "geo", other: 1 },
  ];
  const { report } = await readText("jsonl", rows.map((row) => JSON.stringify(row)).join("\n"), { schema });
  expect(report.accepted).toBe(1);
  expect(report.errors.map(({ line, column, message }) => [line, column, message])).toEqual([
    [2, "answer", "answer is missing."],
    [3, "topic", 'topic must be one of "law", "geo".'],
    [4, "year", "year must be a whole number."],
    [5, "topic", "topic is missing."],
    [6, null, "metadata is missing."],
    [7, "answer", "answer must have at most 1 item."],
    [8, null, 'metadata must not have the field "other".'],
  ]);
});

test("patterns run in linear time and match as in JavaScript", () => {
  const check = (pattern: string, input: string) =>
    compileSampleSchema({ properties: { input: { pattern } } })({ input }).length === 0;
  expect(check("^(a+)+$", `${"a".repeat(100_000)}!`)).toBe(false);
  expect(check("^(a|a)*$", "a".repeat(100_000))).toBe(true);
  for (const [pattern, fits, other] of [
    ["^\\d{4}-\\d{2}$", "2026-11", "2026-1"],
    ["^[\\u4e00-\\u9fff]+$", "中文", "zh"],
    ["^\\p{Lu}\\w*$", "Élan", "élan"],
    ["^.$", "😀", "😀😀"],
    ["b", "abc", "ac"],
  ] as const) {
    expect([check(pattern, fits), check(pattern, other)]).toEqual([true, false]);
  }
});

test("format is not checked, and inherited properties don't count as present", () => {
  const check = compileSampleSchema({ properties: { input: { format: "email" } }, required: ["toString"] });
  expect(check({ input: "no address" })).toEqual([{ path: "/toString", message: "toString is missing." }]);
});

test("a schema that refers to itself endlessly is rejected", async () => {
  for (const schema of [{ allOf: [{ $ref: "#" }] }, { $defs: { a: { $ref: "#/$defs/a" } }, $ref: "#/$defs/a" }]) {
    await expect(readText("jsonl", '{"input":"x"}', { schema })).rejects.toMatchObject({ kind: "invalid_request" });
  }
});
