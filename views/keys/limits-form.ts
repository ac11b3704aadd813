import { Type } from "@sinclair/typebox";
import type { Key, UpdateKey } from "../../gateway/keys/contract";
import type { Budget, ModelLimits } from "../../gateway/limits-contract";
import type { Problems } from "../ui/fields";

/** The fields of the form, as submitted. Rows of budgets and models are numbered: `budget_0_amount`. */
export type LimitsForm = Readonly<Record<string, string>>;

/** Rows have any number, so each field is checked when it is read. */
export const LimitsFormBody = Type.Record(Type.String(), Type.String({ maxLength: 1000 }));

/** Labels of the limits. Error messages include the label, because all of them have the same rule. */
export const LIMIT_LABELS = {
  requestsPerMinute: "Requests per minute",
  parallelRequests: "Parallel requests",
  tokensPerMinute: "Tokens per minute",
} as const;
export type LimitName = keyof typeof LIMIT_LABELS;

export const LIMIT_NAMES = Object.keys(LIMIT_LABELS) as LimitName[];

const MAXIMA: Readonly<Record<LimitName, number>> = {
  requestsPerMinute: 10_000_000,
  parallelRequests: 100_000,
  tokensPerMinute: 1_000_000_000,
};

/** Values and labels of the choices in a budget. */
export const UNIT_WORDS: Readonly<Record<Budget["unit"], string>> = {
  tokens: "Tokens",
  money: "Money",
  gpu_seconds: "GPU-seconds",
  requests: "Requests",
};
export const WINDOW_WORDS = {
  "day calendar": "per day (UTC)",
  "day rolling": "in 24 hours",
  "month calendar": "per month (UTC)",
  "month rolling": "in 30 days",
  "hour calendar": "per hour (UTC)",
  "hour rolling": "in 60 minutes",
  "total calendar": "in total",
} as const;

export const STORE_LOSS_WORDS: Readonly<Record<Key["on_store_loss"], string>> = {
  local: "Each gateway enforces its share of the limits",
  refuse: "Requests with this key are refused",
};

/** Empty rows at the end of the form. */
const SPARE_ROWS = 2;
const MAX_ROWS = 50;

/** Numbers of the rows of one kind: those that are filled in, or were submitted, and spare ones. */
export const rowsOf = (form: LimitsForm, kind: "budget" | "model"): number[] => {
  const filled = (row: number) => form[`${kind}_${row}_${kind === "budget" ? "amount" : "name"}`];
  let last = 0;
  for (let row = 0; row < MAX_ROWS; row++) if (filled(row)) last = row + 1;
  return Array.from({ length: Math.min(MAX_ROWS, last + SPARE_ROWS) }, (_, row) => row);
};

const text = (value: unknown): string => (value === null || value === undefined ? "" : String(value));

/** The form of a key's limits. */
export const toLimitsForm = (key: Key): LimitsForm => {
  const form: Record<string, string> = {
    requestsPerMinute: text(key.requests_per_minute),
    parallelRequests: text(key.parallel_requests),
    tokensPerMinute: text(key.tokens_per_minute),
    observeOnly: key.observe_only ? "yes" : "",
    onStoreLoss: key.on_store_loss,
  };
  for (const [row, { unit, amount, window, alignment = "calendar", observe_only }] of key.budgets.entries()) {
    form[`budget_${row}_amount`] = text(amount);
    form[`budget_${row}_unit`] = unit;
    form[`budget_${row}_window`] = `${window} ${window === "total" ? "calendar" : alignment}`;
    form[`budget_${row}_observe`] = observe_only ? "yes" : "";
  }
  for (const [row, limits] of key.model_limits.entries()) {
    form[`model_${row}_name`] = limits.model;
    form[`model_${row}_requestsPerMinute`] = text(limits.requests_per_minute);
    form[`model_${row}_parallelRequests`] = text(limits.parallel_requests);
    form[`model_${row}_tokensPerMinute`] = text(limits.tokens_per_minute);
    form[`model_${row}_observe`] = limits.observe_only ? "yes" : "";
  }
  return form;
};

/** A limit of the form, or null if it is blank. Adds an error to `problems`. */
export const readLimit = (
  form: Readonly<Record<string, unknown>>,
  name: LimitName,
  problems: Record<string, string>,
  field: string = name,
): number | null => {
  const typed = text(form[field]).trim();
  if (typed === "") return null;
  const value = Number(typed);
  if (Number.isInteger(value) && value >= 1 && value <= MAXIMA[name]) return value;
  const range = `from 1 to ${MAXIMA[name].toLocaleString("en")}`;
  problems[field] = `${LIMIT_LABELS[name]}: enter a whole number ${range}, or leave it blank`;
  return null;
};

/**
 * Converts the form to a change of `key`, or returns problems by field. Budgets for single models are kept: the form
 * doesn't show them.
 */
export const readLimitsForm = (form: LimitsForm, key: Key): { request: UpdateKey } | { problems: Problems } => {
  const problems: Record<string, string> = {};
  const request = {
    requests_per_minute: readLimit(form, "requestsPerMinute", problems),
    parallel_requests: readLimit(form, "parallelRequests", problems),
    tokens_per_minute: readLimit(form, "tokensPerMinute", problems),
    budgets: rowsOf(form, "budget").flatMap((row) => readBudget(form, row, problems) ?? []),
    model_limits: rowsOf(form, "model").flatMap((row) => readModel(form, row, key, problems) ?? []),
    observe_only: form.observeOnly === "yes",
    on_store_loss: form.onStoreLoss === "refuse" ? ("refuse" as const) : ("local" as const),
  };
  return Object.keys(problems).length > 0 ? { problems } : { request };
};

const readBudget = (form: LimitsForm, row: number, problems: Record<string, string>): Budget | undefined => {
  const field = (name: string) => form[`budget_${row}_${name}`] ?? "";
  const typed = field("amount").trim().replaceAll(",", "");
  if (typed === "") return undefined;
  const amount = Number(typed);
  const unit = (Object.keys(UNIT_WORDS) as Budget["unit"][]).find((known) => known === field("unit")) ?? "tokens";
  const isWhole = unit === "tokens" || unit === "requests";
  if (!(amount > 0 && amount <= 1_000_000_000) || (isWhole && !Number.isInteger(amount))) {
    problems[`budget_${row}_amount`] =
      `Budget ${row + 1}: enter a ${isWhole ? "whole " : ""}number up to 1,000,000,000`;
    return undefined;
  }
  const [window, alignment] = (field("window") in WINDOW_WORDS ? field("window") : "day calendar").split(" ");
  return {
    unit,
    amount,
    window: window as Budget["window"],
    ...(window !== "total" && { alignment: alignment as Budget["alignment"] }),
    ...(field("observe") === "yes" && { observe_only: true }),
  };
};

const readModel = (
  form: LimitsForm,
  row: number,
  key: Key,
  problems: Record<string, string>,
): ModelLimits | undefined => {
  const model = (form[`model_${row}_name`] ?? "").trim();
  const limit = (name: LimitName) => readLimit(form, name, problems, `model_${row}_${name}`) ?? undefined;
  if (model === "") return undefined;
  const limits = {
    requests_per_minute: limit("requestsPerMinute"),
    parallel_requests: limit("parallelRequests"),
    tokens_per_minute: limit("tokensPerMinute"),
    budgets: key.model_limits.find((known) => known.model === model)?.budgets,
    observe_only: form[`model_${row}_observe`] === "yes" || undefined,
  };
  if (Object.values(limits).every((value) => value === undefined || value === true)) {
    const isRefused = LIMIT_NAMES.some((name) => problems[`model_${row}_${name}`]);
    if (!isRefused)
      problems[`model_${row}_requestsPerMinute`] = `${model}: enter at least one limit, or remove the model`;
  }
  return { model, ...limits };
};

/** The field that an error of the API is about: its rows don't count blank ones. */
export const fieldOfProblem = (form: LimitsForm, param: string | undefined): string => {
  const [list, index = "0"] = (param ?? "").split(".");
  const kind = list === "model_limits" ? "model" : "budget";
  const name = kind === "budget" ? "amount" : "name";
  const filled = rowsOf(form, kind).filter((row) => form[`${kind}_${row}_${name}`]);
  return `${kind}_${filled[Number(index)] ?? 0}_${name}`;
};
