import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { problemOf } from "../../../tests/db/temporary";
import type { Call } from "../../call";
import { ScoringThread } from "./scoring-thread";

const ANSWER = {
  question: "Who wrote the first program?",
  references: ["Ada Lovelace"],
  contexts: ["Ada Lovelace wrote the first program in 1843."],
  output: "It was written by Ada Lovelace in 1843.",
};
const callOf = (signal = new AbortController().signal) => ({ signal }) as Call;

let thread: ScoringThread;
beforeEach(() => {
  thread = new ScoringThread();
});
afterEach(() => thread.close());

test("every criterion is scored without a model", async () => {
  const scores = await thread.score(callOf(), ANSWER, "reference");
  expect(scores.map(({ metric, by, error }) => [metric, by, error])).toEqual([
    ["correctness", null, null],
    ["faithfulness", null, null],
    ["hallucination", null, null],
  ]);
  expect(scores.every(({ value }) => value !== null && value >= 0 && value <= 1)).toBe(true);
});

test("an exact match ignores case, punctuation and articles", async () => {
  const valueFor = async (output: string) => (await thread.score(callOf(), { ...ANSWER, output }, "exact"))[0]?.value;
  expect(await valueFor("the ada LOVELACE.")).toBe(1);
  expect(await valueFor("It was Ada Lovelace.")).toBe(0);
  expect(await thread.score(callOf(), { ...ANSWER, references: [] }, "exact")).toEqual([]);
});

test("answers scored in parallel get their own scores", async () => {
  const outputs = ["Ada Lovelace wrote it.", "Charles Babbage wrote it.", "Nobody did."];
  const alone = [];
  for (const output of outputs) alone.push(await thread.score(callOf(), { ...ANSWER, output }, "reference"));
  const together = await Promise.all(
    outputs.map((output) => thread.score(callOf(), { ...ANSWER, output }, "reference")),
  );
  expect(together).toEqual(alone);
});

test("claims have offsets in the output", async () => {
  const output = "It was Ada. 👩🏽‍🚀 She wrote it in 1843.";
  const claims = await thread.claimsOf(output);
  expect(claims.map(({ text, start, end }) => [text, output.slice(start, end)])).toEqual(
    claims.map(({ text }) => [text, text]),
  );
  expect(claims.length).toBeGreaterThan(0);
});

test("an answer is grounded in its contexts", async () => {
  const { claims } = await thread.ground(callOf(), ANSWER);
  expect(claims).toMatchObject([{ verdict: "supported", context: 0, places: [{ start: 0 }] }]);
});

test("a question that the passages may not answer gets a warning", async () => {
  const passages = [{ title: "Programs", text: ANSWER.contexts[0] ?? "" }];
  const check = (question: string, cosine: number) => thread.checkSufficiency(callOf(), { question, passages, cosine });
  expect(await check("When did Ada Lovelace write the first program?", 0.8)).toBeNull();
  expect(await check("Where was Charles Babbage born?", 0.3)).toContain('"Charles"');
});

describe("what goes wrong", () => {
  test("a caller who leaves doesn't wait, and other callers get their scores", async () => {
    const leaving = new AbortController();
    const left = problemOf(thread.score(callOf(leaving.signal), ANSWER, "reference"));
    const stays = thread.score(callOf(), ANSWER, "reference");
    leaving.abort();
    expect((await left).kind).toBe("client_closed");
    expect((await stays).length).toBe(3);
  });

  test("closing rejects waiting calls as unavailable, so that callers may retry elsewhere", async () => {
    const waiting = problemOf(thread.score(callOf(), ANSWER, "reference"));
    thread.close();
    expect((await waiting).kind).toBe("unavailable");
  });
});
