import { describe, expect, test } from "bun:test";
import { EMPTY_FORM, readEvalForm } from "./form";

const FILLED = { ...EMPTY_FORM, input: "Who?", references: "Ada", evaluators: ["reference@1"] };
const contextsOf = (contexts: string) => {
  const read = readEvalForm({ ...FILLED, contexts });
  return "request" in read ? read.request.sample?.contexts : read.problems;
};

test("contexts are separated by lines of only three or more dashes", () => {
  expect(contextsOf("one\n---\ntwo\n\n  -----  \n\nthree\nin two lines")).toEqual([
    "one",
    "two",
    "three\nin two lines",
  ]);
  expect(contextsOf("one\r\n---\r\ntwo")).toEqual(["one", "two"]);
  expect(contextsOf("one --- still one\n--\n- --")).toEqual(["one --- still one\n--\n- --"]);
  expect(contextsOf("---\n\n---")).toBeUndefined();
});

// Quadratic time would take minutes here.
test.each(["\n", " ", "\t\n", "-\n", "--- "])(
  "splitting a million characters that repeat %j takes linear time",
  (part) => {
    const text = part.repeat(Math.ceil(1_000_000 / part.length));
    expect(contextsOf(`one\n${text}\ntwo`)).toHaveLength(1);
  },
);

describe("a stored sample", () => {
  const sample = { input: "Who?", references: ["Ada\nLovelace"], output: "Ada." };
  const chosen = { title: "a run", sample, source: { sample }, fields: {}, others: null, typed: "/evals/new" };
  const requestOf = (parts: Partial<typeof EMPTY_FORM>, target?: { kind: "chat"; temperature: number }) => {
    const read = readEvalForm({ ...EMPTY_FORM, evaluators: ["polite@1"], ...parts }, { chosen, target });
    if ("problems" in read) throw new Error(JSON.stringify(read.problems));
    return read.request;
  };

  test("is sent unchanged, and its answer is scored unless the form asks for a new one", () => {
    expect(requestOf({})).toEqual({ sample, seed: 0, evaluators: ["polite@1"] });
    expect(requestOf({ answer: "model" }).target).toEqual({ kind: "chat", max_tokens: 128 });
  });

  test("keeps the run's settings for which the form has no field", () => {
    expect(requestOf({ answer: "model", maxTokens: "9" }, { kind: "chat", temperature: 0.7 }).target).toEqual({
      kind: "chat",
      max_tokens: 9,
      temperature: 0.7,
    });
  });
});

test("the shadow of a chosen version is requested as a shadow evaluator", () => {
  const read = readEvalForm({ ...FILLED, evaluators: ["polite@1"] }, { shadows: new Map([["polite@1", "polite@2"]]) });
  expect("request" in read && [read.request.evaluators, read.request.shadow_evaluators]).toEqual([
    ["polite@1"],
    ["polite@2"],
  ]);
});

test("errors of the two number fields name the field", () => {
  expect(readEvalForm({ ...FILLED, maxTokens: "0", seed: "many" })).toEqual({
    problems: {
      maxTokens: "Maximum length (tokens): enter a whole number from 1 to 1,000,000",
      seed: "Seed: enter a whole number from 0 to 4,294,967,295",
    },
  });
});

test("problems are in the order of the fields on the page", () => {
  const read = readEvalForm({ ...EMPTY_FORM, maxTokens: "", seed: "" });
  expect("problems" in read && Object.keys(read.problems)).toEqual([
    "input",
    "references",
    "maxTokens",
    "seed",
    "evaluators",
  ]);
});

test("an index makes the target rag, needs no contexts, and keeps the search settings of a repeated run on that index", () => {
  const form = { ...EMPTY_FORM, input: "Days?", index: "idx_1", evaluators: ["reference@1"] };
  const target = { kind: "rag", index: "idx_1", retrieval: { top_k: 3 }, temperature: 0.2 } as const;
  const asked = { kind: "rag", index: "idx_1", max_tokens: 128, temperature: 0.2 };
  const targetOf = (index: string) => {
    const read = readEvalForm({ ...form, index }, { target });
    return "request" in read ? read.request.target : read.problems;
  };
  expect(targetOf("idx_1")).toEqual({ ...asked, retrieval: { top_k: 3 } } as never);
  expect(targetOf("idx_2")).toEqual({ ...asked, index: "idx_2" } as never);
  expect(targetOf("")).toEqual({ references: expect.stringContaining("reference answer or a context") } as never);
});
