import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { AppError } from "../../../lib/errors";
import { problemOf } from "../../../tests/db/temporary";
import { until } from "../../../tests/until";
import type { Call } from "../../call";
import { ScoringThread } from "./scoring-thread";

const ANSWER = {
  question: "Who wrote the first program?",
  references: ["Ada Lovelace"],
  contexts: ["Ada Lovelace wrote the first program in 1843."],
  output: "It was written by Ada Lovelace in 1843.",
};
const callOf = (signal = new AbortController().signal) => ({ signal }) as Call;

/** Texts that vectors were asked for; the next requests wait until `go`. */
let asked: string[][];
let go: PromiseWithResolvers<void>;
let thread: ScoringThread;

const vectorOf = (text: string): Float32Array => {
  const vector = new Float32Array(4);
  for (const [place, char] of [...text].entries())
    vector[place % 4] = (vector[place % 4] ?? 0) + (char.codePointAt(0) ?? 0);
  const length = Math.hypot(...vector) || 1;
  return vector.map((part) => part / length);
};

beforeEach(() => {
  asked = [];
  go = Promise.withResolvers();
  go.resolve();
  thread = new ScoringThread({
    async embedTexts(_, texts) {
      asked.push([...texts]);
      await go.promise;
      return { vectors: texts.map(vectorOf), model: "embedder", modelRevision: "r1" };
    },
  });
});
afterEach(() => thread.close());

test("scores come with the embedding model that they stand on", async () => {
  const scores = await thread.score(callOf(), ANSWER);
  expect(scores.map(({ metric, error }) => [metric, error])).toEqual([
    ["correctness", null],
    ["faithfulness", null],
    ["hallucination", null],
  ]);
  expect(scores.every(({ value }) => value !== null && value >= 0 && value <= 1)).toBe(true);
  expect(scores[0]?.by).toEqual({ model: "embedder", modelRevision: "r1" });
});

test("answers that are scored at once don't get each other's scores", async () => {
  const outputs = ["Ada Lovelace wrote it.", "Charles Babbage wrote it.", "Nobody did."];
  const alone = [];
  for (const output of outputs) alone.push(await thread.score(callOf(), { ...ANSWER, output }));
  const together = await Promise.all(outputs.map((output) => thread.score(callOf(), { ...ANSWER, output })));
  expect(together).toEqual(alone);
});

test("claims are found where they stand, without a vector", async () => {
  const output = "It was Ada. 👩🏽‍🚀 She wrote it in 1843.";
  const claims = await thread.claimsOf(output);
  expect(claims.map(({ text, start, end }) => [text, output.slice(start, end)])).toEqual(
    claims.map(({ text }) => [text, text]),
  );
  expect(claims.length).toBeGreaterThan(0);
  expect(asked).toEqual([]);
});

describe("what goes wrong", () => {
  test("with the vectors is told as it was", async () => {
    go = Promise.withResolvers();
    go.promise.catch(() => {});
    go.reject(new AppError("model_loading", "The embedder is being loaded.", { retryAfterMs: 500 }));
    const error = await problemOf(thread.score(callOf(), ANSWER));
    expect([error.kind, error.detail.retryAfterMs]).toEqual(["model_loading", 500]);
  });

  test("a caller who leaves doesn't wait, and nobody else notices", async () => {
    go = Promise.withResolvers();
    const leaving = new AbortController();
    const left = problemOf(thread.score(callOf(leaving.signal), ANSWER));
    const stays = thread.score(callOf(), ANSWER);
    await until("both ask for vectors", () => asked.length === 2);
    leaving.abort();
    expect((await left).kind).toBe("client_closed");
    go.resolve();
    expect((await stays).length).toBe(3);
  });

  test("whoever waits when it closes is told so, and may try elsewhere", async () => {
    go = Promise.withResolvers();
    const waiting = problemOf(thread.score(callOf(), ANSWER));
    await until("it asks for vectors", () => asked.length === 1);
    thread.close();
    expect((await waiting).kind).toBe("unavailable");
  });
});
