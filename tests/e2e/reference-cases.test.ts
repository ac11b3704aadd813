import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ALL_KINDS } from "../../gateway/evals/scorers/all-kinds.cases";
import { Stack } from "../harness";

/* Scores the cases with `reference@1` through the API. */
let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({
    engine: "synthetic",
    env: { GROUNDWIRE_REQUESTS_PER_MINUTE: "100000" },
  });
}, 120_000);
afterAll(() => stack?.stop());

interface Sample {
  input: string;
  output: string;
  references?: string[];
  contexts?: string[];
}
interface Evaluated {
  result: { passed: boolean | null; scores: { metric: string; value: number | null; reason: string }[] };
}

const evaluate = async ({ input, output, references = [], contexts = [] }: Sample): Promise<Evaluated["result"]> => {
  const response = await stack.fetch("/v1/evaluate", {
    body: { sample: { input, output, references, contexts }, evaluators: ["reference@1"] },
  });
  expect(response.status).toBe(201);
  return ((await response.json()) as Evaluated).result;
};

/** Parallel evaluations. A single one would spend its time waiting for its own disk write. */
const CLIENTS = 8;

const CASES = join(import.meta.dir, "../../../shared/data/cases/evaluate.jsonl");
const rows: (Sample & { kind: string; should_pass: boolean | null })[] = existsSync(CASES)
  ? readFileSync(CASES, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
  : [];

describe.skipIf(rows.length === 0)("an input that was once scored wrongly", () => {
  test.each(rows.map((row) => [row.kind, row.output, row.references ?? row.contexts ?? [], row] as const))(
    "%s: %j for %j",
    async (_kind, _output, _expected, row) => {
      const { passed, scores } = await evaluate(row);
      if (row.should_pass !== null) return expect([passed, scores]).toEqual([row.should_pass, scores]);
      // An answer without claims has no hallucination, whether or not it passes.
      expect(scores.find(({ metric }) => metric === "hallucination")?.value ?? 0).toBe(0);
    },
  );
});

test.each(Object.entries(ALL_KINDS))(
  "%s",
  async (_, cases) => {
    const wrong: unknown[] = [];
    const rest = cases.values();
    const client = async () => {
      for (const row of rest) {
        const { passed, scores } = await evaluate(row);
        if (passed !== row.shouldPass) wrong.push({ ...row, scores });
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    expect(wrong).toEqual([]);
  },
  120_000,
);
