import { describe, expect, test } from "bun:test";
import { isRefusal } from "./scorers/text/refusal";
import { failureOf } from "./verdict";

const verdict = (metric: string, passed: boolean | null, value: number | null = 0.5) => ({ metric, passed, value });
const said = (text: string, finish_reason: "stop" | "length" | null = "stop") => ({ text, finish_reason });

describe("why a result did not pass", () => {
  test.each([
    ["null, if it passed", said("Paris"), [verdict("correctness", true)], true, null],
    ["empty, before anything else", said("  \n"), [verdict("correctness", false)], false, "empty"],
    ["refused", said("I'm sorry, I can't help."), [verdict("correctness", false)], false, "refused"],
    ["truncated", said("Paris is the", "length"), [verdict("correctness", false)], false, "truncated"],
    ["unsupported", said("It opens at 9."), [verdict("faithfulness", false)], false, "unsupported"],
    [
      "unsupported, though correct",
      said("It opens at 9."),
      [verdict("correctness", true), verdict("faithfulness", false)],
      false,
      "unsupported",
    ],
    [
      "wrong, even if unsupported too",
      said("It opens at 9."),
      [verdict("correctness", false), verdict("faithfulness", false)],
      false,
      "wrong",
    ],
    ["wrong, on a custom criterion", said("Go away."), [verdict("politeness", false)], false, "wrong"],
    ["judge_error", said("Paris"), [verdict("correctness", null, null)], null, "judge_error"],
    ["null, without a score", said("Paris"), [verdict("hallucination", null)], null, null],
  ] as const)("is %s", (_, output, verdicts, passed, failure) => {
    expect(failureOf(output, verdicts, passed)).toBe(failure);
  });
});

test.each([
  ["I cannot answer that.", true],
  ["Sorry, but I do not know.", true],
  ["As an AI language model, I have no opinion.", true],
  ["The context does not say who wrote it.", true],
  ["Unfortunately, I have no such information.", true],
  ["The capital is Paris, I do not doubt it.", false],
  ["Ian can't swim.", false],
])("%j is a refusal: %p", (text, isOne) => {
  expect(isRefusal(text)).toBe(isOne);
});
