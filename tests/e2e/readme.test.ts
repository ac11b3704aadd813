import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { ADMIN_KEY, Stack } from "../harness";

/* Runs the README's examples as printed, against a stack on another port. */
const ROOT = join(import.meta.dir, "../..");
const readme = await Bun.file(join(ROOT, "README.md")).text();
const examples = [...readme.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language = "", code = ""]) => ({
  language,
  code,
}));

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ engine: "llama", workers: 1 });
}, 120_000);
afterAll(() => stack.stop());

/** Runs the only example in this language that contains `part` and returns its output. */
const runExample = async (language: string, part: string, command: string[], cwd = stack.folder): Promise<string> => {
  const [example, ...others] = examples.filter((one) => one.language === language && one.code.includes(part));
  if (!example || others.length > 0) throw new Error(`Expected one ${language} example with ${part} in README.md.`);
  const code = example.code.replace("http://127.0.0.1:8080", stack.url).replace(/^export KEY=.*\n/m, "");
  const child = Bun.spawn([...command, code], {
    cwd,
    env: { PATH: process.env.PATH, KEY: ADMIN_KEY },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`The example failed: ${errors}${output}`);
  return output;
};

const shell = ["bash", "-euc"];

test("curl gets an answer from /v1/chat", async () => {
  expect(JSON.parse(await runExample("sh", "/v1/chat ", shell))).toMatchObject({
    message: { role: "assistant", content: expect.stringMatching(/\w/) },
    usage: { completion_tokens: expect.any(Number) },
    latency: { total: expect.any(Number) },
    cache: { status: expect.any(String) },
  });
});

test("OpenAI's TypeScript SDK prints the similarity that the comment names", async () => {
  const similarity = Number(await runExample("ts", "embeddings.create", [process.execPath, "-e"], ROOT));
  const [, promised] = /cosine similarity: ([\d.]+)/.exec(readme) ?? [];
  expect(similarity).toBeCloseTo(Number(promised), 2);
});

test("curl uploads a dataset, then evaluates one of its samples", async () => {
  expect(JSON.parse(await runExample("sh", "capitals.csv", shell))).toMatchObject({
    dataset: { name: "capitals" },
    report: { errors: [] },
  });
  const { result } = JSON.parse(await runExample("sh", "/v1/evaluate", shell));
  expect(result.scores.map(({ metric }: { metric: string }) => metric)).toEqual([
    "correctness",
    "faithfulness",
    "hallucination",
  ]);
});

test("the Python example names the right address and a model that is served", async () => {
  const python = examples.find(({ language }) => language === "python")?.code ?? "";
  expect(python).toContain('base_url="http://127.0.0.1:8080/v1"');
  const models = (await (await stack.fetch("/v1/models")).json()) as { data: { id: string }[] };
  expect(models.data.map(({ id }) => id)).toContain(/model="([^"]+)"/.exec(python)?.[1] ?? "");
});
