import { describe, expect, test } from "bun:test";
import { ALL_KINDS } from "./all-kinds.cases";
import { scoreReference } from "./reference-evaluator";

describe.each(Object.entries(ALL_KINDS))("%s", (_, cases) => {
  test.each(
    cases.map((row) => [row.references?.[0] ?? row.contexts?.[0] ?? "", row.output, row.shouldPass, row] as const),
  )("for %j, the answer %j passes: %p", (_reference, output, shouldPass, { input, references = [], contexts = [] }) => {
    const [score] = scoreReference({ question: input, references, contexts, output });
    expect([(score?.value ?? 0) >= 0.5, score?.reason]).toEqual([shouldPass, expect.any(String)]);
  });

  test("has at least 20 cases, both passing and failing", () => {
    expect(cases.length).toBeGreaterThanOrEqual(20);
    expect(new Set(cases.map(({ shouldPass }) => shouldPass)).size).toBe(2);
  });
});
