import { describe, expect, test } from "bun:test";
import { ANSWER_KINDS } from "./answer-kinds.cases";
import { FAITHFULNESS_KINDS } from "./faithfulness-kinds.cases";
import { KINDS } from "./kinds.cases";
import { MARKUP_KINDS } from "./markup-kinds.cases";
import { scoreReference } from "./reference-evaluator";
import { VALUE_KINDS } from "./value-kinds.cases";

const ALL_KINDS = { ...KINDS, ...VALUE_KINDS, ...ANSWER_KINDS, ...MARKUP_KINDS, ...FAITHFULNESS_KINDS };

describe.each(Object.entries(ALL_KINDS))("%s", (_, cases) => {
  test.each(
    cases.map((row) => [row.references?.[0] ?? row.contexts?.[0] ?? "", row.output, row.shouldPass, row] as const),
  )("for %j, %j passes: %p", (_reference, output, shouldPass, { input, references = [], contexts = [] }) => {
    const [score] = scoreReference({ question: input, references, contexts, output });
    expect([(score?.value ?? 0) >= 0.5, score?.reason]).toEqual([shouldPass, expect.any(String)]);
  });

  test("has at least 20 rows, with both passing and failing answers", () => {
    expect(cases.length).toBeGreaterThanOrEqual(20);
    expect(new Set(cases.map(({ shouldPass }) => shouldPass)).size).toBe(2);
  });
});
