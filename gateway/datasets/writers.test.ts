import { expect, test } from "bun:test";
import fc from "fast-check";
import { readText } from "../../tests/datasets/read";
import { contentHash, toContent, toNewSample } from "./content";
import { FORBIDDEN_NAMES } from "./reading/limits";
import type { NewSample } from "./sample-contract";
import { writeCsv, writeJsonl } from "./writers";

const whole = async (pieces: AsyncIterable<string>): Promise<string> => (await Array.fromAsync(pieces)).join("");

/**
 * Text that breaks parsers: quotes, line breaks, delimiters, formulas, JSON, direction marks, characters beyond the
 * BMP.
 */
const AWKWARD = [
  '"',
  "'",
  ",",
  ";",
  "\t",
  "\n",
  "\r",
  "\r\n",
  "=",
  "-",
  "[",
  "]",
  "{",
  '["a"]',
  "\\",
  " ",
  "é",
  "שלום",
];
const STRANGE = ["\u202e", "😀", "\u2028", "\ufeff", "＝"];

/** Whether a JSON value has names or strings that files must not contain. */
const hasForbidden = (value: unknown): boolean => {
  if (typeof value === "string") return !isText(value);
  if (typeof value !== "object" || value === null) return false;
  const names = Array.isArray(value) ? [] : Object.keys(value);
  return names.some((each) => FORBIDDEN_NAMES.has(each) || !isText(each)) || Object.values(value).some(hasForbidden);
};

const isText = (each: string): boolean => each.isWellFormed() && !each.includes("\0");
const text = fc
  .oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: fc.constantFrom(...AWKWARD, ...STRANGE) }))
  .filter(isText);
const name = text.filter((each) => each !== "" && each.length <= 64 && !FORBIDDEN_NAMES.has(each));
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const messages = fc.array(fc.record({ role: fc.constantFrom("system" as const, "user" as const), content: text }), {
  minLength: 1,
  maxLength: 3,
});
/** Arguments of a call. */
const json = fc.jsonValue({ maxDepth: 2 }).filter((value) => !hasForbidden(value));
const functionName = fc.stringMatching(/^[a-zA-Z0-9_-]{1,64}$/);
const sample: fc.Arbitrary<NewSample> = fc.record(
  {
    key: text.filter((each) => each !== "" && each.length <= 200),
    input: fc.oneof(
      text.filter((each) => each.trim() !== ""),
      messages,
    ),
    references: fc.array(text, { maxLength: 3 }),
    contexts: fc.array(text, { maxLength: 3 }),
    output: text,
    group: text,
    tags: fc.uniqueArray(name, { maxLength: 3 }),
    metadata: fc.dictionary(name, fc.oneof(text, number, fc.boolean(), fc.constant(null)), { maxKeys: 3 }),
    expected_tool_calls: fc.array(
      fc.record({ name: functionName, arguments: fc.dictionary(name, json, { maxKeys: 3 }) }),
      { maxLength: 2 },
    ),
    tools: fc.array(
      fc.record({ type: fc.constant("function" as const), function: fc.record({ name: functionName }) }),
      {
        maxLength: 2,
      },
    ),
    tool_choice: fc.constantFrom("none" as const, "auto" as const, "required" as const),
  },
  { requiredKeys: ["key", "input"] },
);
/** Unique keys and unique contents, because reading drops duplicates. */
const samples = fc
  .uniqueArray(sample, { minLength: 1, maxLength: 8, selector: ({ key }) => key })
  .map((all) => [...new Map(all.map((each) => [contentHash(toContent(each)), each])).values()]);

const named = (all: Iterable<{ key?: string; hash: string }>) => [...all].map(({ key, hash }) => [key, hash]);
const hashed = (all: NewSample[]) => all.map((each) => ({ key: each.key, hash: contentHash(toContent(each)) }));

test.each([
  ["jsonl", writeJsonl],
  ["csv", writeCsv],
] as const)("%s: reading an export gives the same samples in the same order", async (format, write) => {
  await fc.assert(
    fc.asyncProperty(samples, async (all) => {
      const { samples: read, report } = await readText(format, await whole(write(all)));
      expect(report.errors).toEqual([]);
      expect(named(read)).toEqual(named(hashed(all)));
    }),
  );
});

test("exporting JSONL again gives the same bytes", async () => {
  await fc.assert(
    fc.asyncProperty(samples, async (all) => {
      const once = await whole(writeJsonl(all.map((each) => toNewSample({ ...toContent(each), key: each.key }))));
      const { samples: read } = await readText("jsonl", once);
      expect(await whole(writeJsonl(read.map(toNewSample)))).toBe(once);
    }),
  );
});

test("text that looks like messages or a list stays text in CSV", async () => {
  const all: NewSample[] = [
    { key: "1", input: '[{"role":"user","content":"hi"}]' },
    { key: "2", input: "x", references: ['["a","b"]'], output: "[]" },
  ];
  const { samples: read } = await readText("csv", await whole(writeCsv(all)));
  expect(named(read)).toEqual(named(hashed(all)));
});

test("no cell of a CSV export begins like a formula, whatever the samples contain", async () => {
  const all: NewSample[] = [
    {
      key: "=1",
      input: "@SUM(A1)",
      references: ["+1"],
      output: "-1",
      group: "\tx",
      tags: ["=t"],
      metadata: { "=m": "=1" },
    },
  ];
  const [, record = ""] = (await whole(writeCsv(all))).split("\r\n");
  expect(record).toBe(`'=1,'@SUM(A1),"[""+1""]",,'-1,'\tx,"[""=t""]","{""=m"":""=1""}",,,`);
});

test("a quote before a formula in a foreign file is kept: only our own exports are unguarded", async () => {
  const { samples: read } = await readText("csv", "question,answer\n'=1,'-2\n");
  expect(read).toMatchObject([{ input: "'=1", references: ["'-2"] }]);
});

test.each([' [{"role":"user","content":"a text, not a chat"}]', '\n["a"]', "' [x", "  ["])(
  "text that looks like a list is unchanged by a CSV round trip: %j",
  async (text) => {
    async function* one(): AsyncGenerator<NewSample> {
      yield { key: "k", input: text, output: text, group: text };
    }
    const { samples } = await readText("csv", await whole(writeCsv(one())));
    expect(samples.map(({ input, output, group }) => [input, output, group])).toEqual([[text, text, text]]);
  },
);
