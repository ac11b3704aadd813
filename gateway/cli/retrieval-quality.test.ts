import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
const PASSAGES = [
  { id: "p1", title: "Leave", text: "Everyone has thirty days of leave." },
  { id: "p2", title: "Offices", text: "The company has twelve offices." },
  { id: "p3", text: "Tea is served at four." },
];
const QUERIES = [
  { id: "q1", query: "thirty days of leave", kind: "answerable", relevant: ["p1"] },
  { id: "q2", query: "when is tea served", kind: "answerable", relevant: ["p3"] },
  { id: "q3", query: "volcano eruption schedule", kind: "off_corpus", relevant: [] },
];

let folder = "";
const write = (file: string, rows: readonly object[]) =>
  writeFile(join(folder, file), rows.map((row) => JSON.stringify(row)).join("\n"));
const run = async (...options: string[]) => {
  // No model is needed, and none can be found or downloaded.
  const env = {
    ...process.env,
    GROUNDWIRE_NODE_EMBEDDER: "synthetic",
    GROUNDWIRE_DATA_DIR: join(folder, "data"),
    HF_ENDPOINT: "http://127.0.0.1:1",
  };
  const command = [process.execPath, "gateway/cli/retrieval-quality.ts", folder, ...options];
  const child = Bun.spawn(command, { cwd: ROOT, env, stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exit: await child.exited, stdout, stderr };
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "groundwire-retrieval-test-"));
  await write("retrieval_tiny_corpus.jsonl", PASSAGES);
});
afterAll(() => rm(folder, { recursive: true }));

test("every passage is found by its id through the whole stack, and predictions are written", async () => {
  await write("retrieval_tiny_queries.jsonl", QUERIES);
  const out = join(folder, "out");
  const { exit, stdout, stderr } = await run("--json", "--predictions", out);
  expect([exit, exit === 0 ? "" : stderr]).toEqual([0, ""]);
  const { corpora } = JSON.parse(stdout);
  expect(corpora).toMatchObject([
    { name: "tiny", passages: 3, answerable: 2, off_corpus: 1, methods: { keyword: { recall_at_1: { value: 1 } } } },
  ]);
  expect(Object.keys(corpora[0].methods)).toEqual(["keyword", "vector", "hybrid"]);
  const lines = (await Bun.file(join(out, "retrieval_tiny.jsonl")).text()).trim().split("\n");
  const predictions = lines.map((line) => JSON.parse(line));
  expect(predictions.map(({ id }) => id)).toEqual(["q1", "q2", "q3"]);
  for (const { ranked, scores, no_context } of predictions) {
    expect([...ranked].sort()).toEqual(["p1", "p2", "p3"]);
    expect(scores).toEqual(scores.toSorted((a: number, b: number) => b - a));
    expect(typeof no_context).toBe("boolean");
  }
}, 60_000);

test.each([
  ["a query without its fields", [{ id: "q1" }], "retrieval_tiny_queries.jsonl, line 1"],
  ["a passage that is missing", [{ ...QUERIES[0], relevant: ["p9"] }], "names a passage that the corpus doesn't have"],
  ["an answerable query without a passage", [{ ...QUERIES[0], relevant: [] }], "is answerable but has 0 relevant"],
  ["an id that is used twice", [QUERIES[0], QUERIES[0]], "uses an id twice"],
])("%s is rejected before anything starts", async (_, queries, problem) => {
  await write("retrieval_tiny_queries.jsonl", queries as object[]);
  const { exit, stdout, stderr } = await run();
  expect([exit, stdout]).toEqual([1, ""]);
  expect(stderr).toContain(problem);
});
