import { expect, test } from "bun:test";
import type { Key } from "../../gateway/keys/contract";
import { fieldOfProblem, readLimitsForm, rowsOf, toLimitsForm } from "./limits-form";

const KEY = {
  requests_per_minute: null,
  parallel_requests: 8,
  tokens_per_minute: 50_000,
  budgets: [
    { unit: "tokens", amount: 2_000_000, window: "day", alignment: "calendar" },
    { unit: "money", amount: 2.5, window: "month", alignment: "rolling", observe_only: true },
    { unit: "gpu_seconds", amount: 3600, window: "total" },
  ],
  model_limits: [
    {
      model: "small",
      tokens_per_minute: 1000,
      budgets: [{ unit: "tokens", amount: 5, window: "hour" }],
      observe_only: true,
    },
  ],
  observe_only: false,
  on_store_loss: "refuse",
} as unknown as Key;

const read = (form: Record<string, string>) => readLimitsForm({ ...toLimitsForm(KEY), ...form }, KEY);

test("a form that is saved unchanged changes nothing", () => {
  const { requests_per_minute, parallel_requests, tokens_per_minute, budgets, model_limits } = KEY;
  expect(read({})).toEqual({
    request: {
      ...{ requests_per_minute, parallel_requests, tokens_per_minute, budgets, model_limits },
      observe_only: false,
      on_store_loss: "refuse",
    },
  });
});

test("blank rows are removed, new ones are added, and a model's budgets are kept", () => {
  expect(
    read({
      tokensPerMinute: "",
      budget_0_amount: " ",
      budget_3_amount: "1,000",
      budget_3_unit: "requests",
      budget_3_window: "hour rolling",
      model_1_name: "large",
      model_1_parallelRequests: "2",
    }),
  ).toMatchObject({
    request: {
      tokens_per_minute: null,
      budgets: [...KEY.budgets.slice(1), { unit: "requests", amount: 1000, window: "hour", alignment: "rolling" }],
      model_limits: [...KEY.model_limits, { model: "large", parallel_requests: 2 }],
    },
  });
});

test("there are always spare rows", () => {
  const form = toLimitsForm(KEY);
  expect([rowsOf(form, "budget"), rowsOf(form, "model")]).toEqual([
    [0, 1, 2, 3, 4],
    [0, 1, 2],
  ]);
  expect(rowsOf({}, "budget")).toEqual([0, 1]);
});

test("errors name their fields", () => {
  expect(
    read({
      parallelRequests: "0",
      budget_0_amount: "1.5",
      budget_1_amount: "-1",
      model_0_tokensPerMinute: "x",
      model_1_name: "large",
    }),
  ).toEqual({
    problems: {
      parallelRequests: "Parallel requests: enter a whole number from 1 to 100,000, or leave it blank",
      budget_0_amount: "Budget 1: enter a whole number up to 1,000,000,000",
      budget_1_amount: "Budget 2: enter a number up to 1,000,000,000",
      model_0_tokensPerMinute: "Tokens per minute: enter a whole number from 1 to 1,000,000,000, or leave it blank",
      model_1_requestsPerMinute: "large: enter at least one limit, or remove the model",
    },
  });
});

test("a model whose only limit is mistyped gets the error of that limit", () => {
  expect(read({ model_1_name: "large", model_1_requestsPerMinute: "x" })).toEqual({
    problems: {
      model_1_requestsPerMinute: "Requests per minute: enter a whole number from 1 to 10,000,000, or leave it blank",
    },
  });
});

test("an error of the API is shown at the row that it is about", () => {
  const form = { budget_0_amount: "", budget_1_amount: "5", budget_2_amount: "6" };
  expect(fieldOfProblem(form, "budgets.1")).toBe("budget_2_amount");
  expect(fieldOfProblem({ model_0_name: "a" }, "model_limits.0.model")).toBe("model_0_name");
});
