import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parquetReadObjects } from "hyparquet";
import { readText } from "../datasets/read";
import { completedRun } from "./completed-run";
import { type Stack, startStack } from "./stack";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

/** Texts that break writers: formulas, markup, line breaks, quotes, control characters, direction marks. */
const SAMPLES = [
  {
    key: "=1+1",
    input: '=HYPERLINK("x")',
    references: ['a,b\r\n"c"'],
    output: "@SUM(1)\u0001\u0008 ]]> & <b>",
    tags: ["t"],
  },
  { key: "rtl \u202e", input: "שלום\u2028", references: ["é", "[1]"], output: "-2 😀\ufeff" },
  { key: "large", input: "?", references: ["x"], output: "😀 = \n".repeat(110_000) },
  {
    key: "chat",
    input: [{ role: "user", content: "<script>alert(1)</script>" }],
    references: ["hi"],
    contexts: ["['hi']"],
    output: "hi",
    group: "g",
    metadata: { "=a": "=b" },
  },
  { key: "impossible", input: "no references", output: "z" },
];

let stack: Stack;
let run: Json;

const json = async (method: string, path: string, body?: unknown): Promise<Json> =>
  (await stack.call(method, path, { body })).json();

const startRun = (body: object): Promise<Json> =>
  completedRun(stack, { target: { kind: "stored" }, evaluators: ["exact@1"], ...body });

const download = (query: string, id = run.id) => stack.call("GET", `/v1/batch-evals/${id}/export?${query}`);
const bytesOf = async (query: string) => new Uint8Array(await (await download(query)).arrayBuffer());
const textOf = async (query: string) => new TextDecoder().decode(await bytesOf(query));

beforeAll(async () => {
  stack = await startStack({ tokens: 4 });
  await json("POST", "/v1/datasets", { name: "awkward", samples: SAMPLES });
  run = await startRun({ dataset: "awkward", shadow_evaluators: ["reference@1"] });
});
afterAll(() => stack.close());

test.each([
  ["jsonl", "application/jsonl; charset=utf-8", "jsonl"],
  ["csv", "text/csv; charset=utf-8", "csv"],
  ["parquet", "application/vnd.apache.parquet", "parquet"],
  ["junit", "application/xml; charset=utf-8", "xml"],
])("%s is downloaded under the run's id", async (format, mediaType, ending) => {
  const { status, headers } = await download(`format=${format}`);
  expect([status, headers.get("content-type"), headers.get("content-disposition")]).toEqual([
    200,
    mediaType,
    `attachment; filename="${run.id}.${ending}"`,
  ]);
});

test("JSONL contains the results as the API lists them", async () => {
  const { data } = await json("GET", `/v1/batch-evals/${run.id}/samples`);
  const lines = (await textOf("format=jsonl")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual(data);
});

test("P2: CSV runs no formula, and can be imported as a dataset with the outputs", async () => {
  const csv = await textOf("format=csv");
  expect(csv).toContain("\r\n'=1+1,");
  const { samples, report } = await readText("csv", csv);
  expect(report.errors).toEqual([]);
  const read = samples.map(({ key, input, references, contexts, output, group, tags }) => {
    return { key, input, references, contexts, output: output ?? null, group, tags };
  });
  expect(read).toEqual(
    SAMPLES.map(({ references = [], contexts = [], group = null, tags = [], ...sample }) => {
      const { key, input, output } = sample;
      return { key, input, references, contexts, output: key === "impossible" ? null : output, group, tags };
    }) as typeof read,
  );
  const [wrong, , , right] = samples.map(({ metadata }) => metadata);
  expect(wrong).toMatchObject({ passed: "false", failure: "wrong", "exact@1.correctness": "0" });
  expect(right).toMatchObject({
    "=a": "=b",
    passed: "true",
    "exact@1.correctness": "1",
    "reference@1.faithfulness": "1",
  });
});

test("Parquet has typed columns that equal the results", async () => {
  const { buffer } = await bytesOf("format=parquet");
  const rows = (await parquetReadObjects({ file: buffer })) as Json[];
  expect(rows.map(({ key, output }) => [key, output])).toEqual(
    SAMPLES.map(({ key, output }) => [key, key === "impossible" ? null : output]),
  );
  const { data } = await json("GET", `/v1/batch-evals/${run.id}/samples`);
  expect(rows[3]).toMatchObject({
    references: ["hi"],
    contexts: ["['hi']"],
    metadata: { "=a": "=b" },
    passed: true,
    repeat: 0,
    "exact@1.correctness": 1,
    "exact@1.correctness.passed": true,
    "reference@1.correctness": data[3].scores.find(
      ({ evaluator, metric }: Json) => evaluator === "reference@1" && metric === "correctness",
    ).value,
  });
  expect(rows[3].ended_at).toBeInstanceOf(Date);
  expect([rows[4].passed, rows[4].failure, rows[4]["exact@1.correctness"]]).toEqual([null, "invalid_sample", null]);
});

test("JUnit has one test case per result, and matching counts", async () => {
  const xml = await textOf("format=junit");
  expect(xml).toContain('tests="5" failures="3" errors="1" skipped="0"');
  expect(xml.match(/<testcase /g)).toHaveLength(5);
  expect(xml).toContain('<testcase name="chat" classname="awkward"/>');
  expect(xml.match(/<failure type="wrong"/g)).toHaveLength(3);
  expect(xml.match(/<error type="invalid_sample" message="The sample has nothing to compare/g)).toHaveLength(1);
});

describe("a filter", () => {
  test.each([
    ["state=error", ["impossible"]],
    ["passed=true", ["chat"]],
    ["failure=wrong", ["=1+1", "rtl \u202e", "large"]],
    ["tag=t", ["=1+1"]],
    ["search=hyperlink", ["=1+1"]],
    ["failure=wrong&passed=true", []],
  ])("%s keeps the same results as in the list", async (filter, keys) => {
    const lines = (await textOf(`format=jsonl&${filter}`)).split("\n").filter(Boolean);
    expect(lines.map((line) => JSON.parse(line).sample_key)).toEqual(keys);
    const rows = (await parquetReadObjects({ file: (await bytesOf(`format=parquet&${filter}`)).buffer })) as Json[];
    expect(rows.map(({ key }) => key)).toEqual(keys);
    expect(await textOf(`format=junit&${filter}`)).toContain(
      `<testsuites name="awkward, stored outputs" tests="${keys.length}"`,
    );
  });
});

test("all repeats are exported, and a run in progress has the results so far", async () => {
  await json("POST", "/v1/datasets", {
    name: "repeated",
    samples: Array.from({ length: 700 }, (_, n) => ({ key: `k${n}`, input: `${n}?`, references: ["a"], output: "a" })),
  });
  const { id } = await startRun({ dataset: "repeated", repeats: 2 });
  const lines = (await (await download("", id)).text()).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line)).map(({ sample_key, repeat }) => `${sample_key} ${repeat}`)).toEqual(
    Array.from({ length: 1400 }, (_, n) => `k${Math.floor(n / 2)} ${n % 2}`),
  );
  const xml = await (await download("format=junit", id)).text();
  expect(xml).toContain('<testcase name="k699, repeat 2" classname="repeated"/>');
});

test("an unknown run or format is an error, and so is a key without the role", async () => {
  expect((await download("", "run_unknown")).status).toBe(404);
  const unknown = await download("format=xlsx");
  expect([unknown.status, ((await unknown.json()) as Json).error.param]).toEqual([400, "format"]);
  const { run: single } = await json("POST", "/v1/evaluate", {
    sample: { input: "?", references: ["a"], output: "a" },
  });
  expect((await download("", single.id)).status).toBe(404);
  const path = `/v1/batch-evals/${run.id}/export`;
  expect((await stack.call("GET", path, { key: null })).status).toBe(401);
});
