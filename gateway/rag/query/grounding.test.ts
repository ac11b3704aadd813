import { expect, test } from "bun:test";
import { chunkOf } from "../../../tests/stored-chunk";
import { groundAnswer } from "../../evals/scorers/faithfulness/ground-answer";
import { toGrounding } from "./grounding";
import { mergeChunks } from "./merge";

const leave = chunkOf("Everyone has 30 days of leave. Illness is reported by phone.");
const offices = chunkOf("The company was founded in 1987.", 0, undefined, { documentId: "doc_b" });
const contexts = mergeChunks([leave, offices]);

const ground = (output: string) =>
  toGrounding(
    groundAnswer({ question: null, references: [], contexts: contexts.map(({ text }) => text), output }),
    contexts,
  );

test("each sentence has its verdict, its place in the answer and the chunk that supports it", () => {
  const output = "Illness is reported by phone [1]. The company was founded in 1912 [2].";
  const { supported, evaluator, sentences } = ground(output);
  expect([supported, evaluator]).toEqual([0.5, "reference@1"]);
  expect(sentences.map(({ verdict, chunk_id }) => [verdict, chunk_id])).toEqual([
    ["supported", leave.id],
    ["unsupported", offices.id],
  ]);
  for (const { text, answer_start, answer_end } of sentences) expect(output.slice(answer_start, answer_end)).toBe(text);
});

test("the supported fraction is null for an answer without claims", () => {
  expect(ground("I don't know.")).toMatchObject({ supported: null, sentences: [] });
});
