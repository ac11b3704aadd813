import { describe, expect, test } from "bun:test";
import type { EmbedTexts } from "./embedding";
import { KINDS } from "./kinds.cases";
import { VALUE_KINDS } from "./kinds.cases-values";
import { scoreReference } from "./reference-evaluator";
import { readWords } from "./text/words";

/** Hashes words into 256 buckets: texts that share words get close vectors, the same on every machine. */
const embed: EmbedTexts = async (texts) =>
  texts.map((text) => {
    const vector = new Float32Array(256);
    for (const { stem } of readWords(text)) {
      let bucket = 7;
      for (let at = 0; at < stem.length; at++) bucket = (bucket * 31 + stem.charCodeAt(at)) % 256;
      vector[bucket] = (vector[bucket] ?? 0) + 1;
    }
    const length = Math.hypot(...vector) || 1;
    return vector.map((value) => value / length);
  });

describe.each(Object.entries({ ...KINDS, ...VALUE_KINDS }))("%s", (_, cases) => {
  test.each(
    cases.map((row) => [row.references?.[0] ?? row.contexts?.[0] ?? "", row.output, row.shouldPass, row] as const),
  )("for %j, %j passes: %p", async (_reference, output, shouldPass, { input, references = [], contexts = [] }) => {
    const [score] = await scoreReference({ question: input, references, contexts, output }, embed);
    expect([(score?.value ?? 0) >= 0.5, score?.reason]).toEqual([shouldPass, expect.any(String)]);
  });

  test("has at least 20 rows, with both passing and failing answers", () => {
    expect(cases.length).toBeGreaterThanOrEqual(20);
    expect(new Set(cases.map(({ shouldPass }) => shouldPass)).size).toBe(2);
  });
});
