import { expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { EMPTY_RUN, filledWith, problemsOf, readRunForm, toRunForm } from "./form";

const FILLED = { dataset: "ds_1", evaluators: "reference@1" };
const read = (changes: object) => readRunForm(toRunForm({ ...FILLED, ...changes }));
const requestOf = (changes: object = {}) => {
  const result = read(changes);
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  return result.request;
};

test("a form with only its defaults asks the default model about each sample once", () => {
  expect(requestOf()).toEqual({
    dataset: "ds_1",
    target: { kind: "chat", max_tokens: 128, temperature: 0 },
    evaluators: ["reference@1"],
    repeats: 1,
    seed: 0,
    max_concurrency: 64,
  });
});

test("every field reaches the request", () => {
  const request = requestOf({
    ...{ revision: "2", tags: "hours, prices,hours ", limit: "50", model: "m", prompt: "p@1", topP: "0,9" },
    ...{ tag: ["fees, all", "hours"], evaluators: ["a@1", "b@2"], shadows: "c@1", repeats: "3", seed: "7" },
    ...{ criteria: ["correctness"], own: "polite: Is the answer polite?" },
    ...{ concurrency: "8", errors: "12.5", name: " Nightly ", labels: "nightly" },
  });
  expect(request).toMatchObject({
    revision: 2,
    samples: { tags: ["fees, all", "hours", "prices"], limit: 50 },
    target: { model: "m", prompt: "p@1", top_p: 0.9 },
    evaluators: ["a@1", "b@2"],
    shadow_evaluators: ["c@1"],
    rubric: { criteria: ["correctness", { name: "polite", description: "Is the answer polite?", threshold: 1 }] },
    ...{ repeats: 3, seed: 7, max_concurrency: 8, max_error_share: 0.125, name: "Nightly", tags: ["nightly"] },
  });
});

test("stored outputs and documents accept only their own settings", () => {
  const typedBefore = { model: "m", topP: "0.9", index: "idx_1" };
  expect(requestOf({ ...typedBefore, kind: "stored" }).target).toEqual({ kind: "stored" });
  const { target } = requestOf({ ...typedBefore, kind: "rag" });
  expect(target).toEqual({ kind: "rag", index: "idx_1", model: "m", max_tokens: 128, temperature: 0 });
});

test("problems name each wrong field, in the form's order", () => {
  const result = readRunForm({ ...EMPTY_RUN, kind: "rag", limit: "0.5", errors: "many", seed: "", maxTokens: "-1" });
  expect("problems" in result && Object.entries(result.problems)).toEqual([
    ["dataset", "Choose a dataset"],
    ["limit", "Number of samples: enter a whole number from 1 to 10,000,000"],
    ["index", "Choose an index"],
    ["maxTokens", "Maximum length (tokens): enter a whole number from 1 to 1,000,000"],
    ["evaluators", "Choose an evaluator"],
    ["seed", "Seed: enter a whole number from 0 to 4,294,967,295"],
    ["errors", "Stop at this error rate (%): enter a number from 0 to 100"],
  ]);
});

test("an evaluator can't both decide the verdict and be a shadow", () => {
  const result = read({ shadows: ["reference@1"] });
  expect("problems" in result && Object.keys(result.problems)).toEqual(["shadows"]);
});

test.each([
  ["samples.tags", "tags", {}],
  ["target.index", "index", {}],
  ["model", "model", {}],
  ["samples.tags", "tag", { tag: ["hours"] }],
  ["rubric.criteria.0", "criteria", { criteria: ["correctness"] }],
  ["rubric.criteria.1", "own", { criteria: ["correctness"], own: "polite: Is it?" }],
  ["rubric.criteria.0", "own", { own: "polite: Is it?" }],
] as [string, string, object][])("the service's error about %s appears at the field %s", (param, field, form) => {
  const error = new AppError("invalid_request", "No. GET /v1/things lists them.", { param });
  expect(Object.keys(problemsOf(error, { ...EMPTY_RUN, ...form }) ?? {})).toEqual([field]);
});

test("a run's own criteria and tags fill the form that repeats it", () => {
  const own = "polite: Is the answer polite?\ndepth (1 to 5, 4 or more passes): How deep?";
  const { rubric, samples } = requestOf({ own, criteria: "correctness", tag: "fees, all" });
  const pins = { dataset: null, target: { kind: "chat" }, evaluators: [], rubric, samples, seed: 0, repeats: 1 };
  expect(filledWith({ pins, settings: {}, tags: [] } as never)).toMatchObject({
    ...{ own, criteria: ["correctness"], tag: ["fees, all"] },
  });
});

test("a wrong own criterion is named by its line", () => {
  const result = read({ own: "polite: Is it?\ndeep" });
  expect("problems" in result && result.problems.own).toStartWith("Line 2: write a name, a colon and a question");
});

test("an error that is not about a field has no field", () => {
  expect(problemsOf(new AppError("unavailable", "Busy."), EMPTY_RUN)).toBeUndefined();
  expect(problemsOf(new AppError("conflict", "Used.", { param: "model" }), EMPTY_RUN)).toBeUndefined();
});
