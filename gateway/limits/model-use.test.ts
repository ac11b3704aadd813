import { expect, test } from "bun:test";
import type { KeyLimit } from "./key-limit";
import { planUse, Rates } from "./model-use";

const TOKENS: KeyLimit = {
  ...{ name: "tokens_per_day", unit: "tokens", model: null, counter: "key_1 tokens", amount: 10_000 },
  ...{ window: { period: "day", isCalendar: false }, isObserved: false },
  names: { ratelimit: "", openAi: undefined, amount: "10000" },
} as const;

test.each([
  ["one choice", 100, 4000, undefined, 8192, 4100],
  ["every choice", 100, 4000, 8, 8192, 100 + 8 * 4000],
  ["every choice, up to the context window", 8000, 4000, 8, 8192, 8000 + 8 * 192],
  ["a prompt that fills the context window", 9000, 4000, 8, 8192, 8192],
  ["every choice, with an unknown context window", 100, 4000, 2, null, 8100],
] as const)(
  "limits reserve the longest answer: %s",
  (_, promptTokens, answerTokens, choices, contextWindow, expected) => {
    const work = { isEmbedding: false, promptTokens, answerTokens, choices };
    const [charge] = planUse([TOKENS], { id: "m", contextWindow }, work, new Rates(), {});
    expect([charge?.amount, charge?.least]).toEqual([expected, expected]);
  },
);

test("without a length, limits reserve 1,024 tokens for each choice, and at least one token", () => {
  const work = { isEmbedding: false, promptTokens: 100, choices: 3 };
  const [charge] = planUse([TOKENS], { id: "m", contextWindow: 8192 }, work, new Rates(), {});
  expect([charge?.amount, charge?.least]).toEqual([100 + 3 * 1024, 103]);
});
