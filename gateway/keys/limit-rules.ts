import { AppError } from "../../lib/errors";
import type { Budget } from "../limits-contract";
import type { UpdateKey } from "./contract";

type LimitSettings = Pick<UpdateKey, "budgets" | "model_limits">;

/** Throws invalid_request for limits that contradict each other or can't be measured. */
export const assertLimits = (
  { budgets = [], model_limits = [] }: LimitSettings,
  { gpuPricePerHour }: { gpuPricePerHour?: number },
): void => {
  assertBudgets(budgets, "budgets", gpuPricePerHour);
  for (const [index, { model, budgets: own = [] }] of model_limits.entries()) {
    const param = `model_limits.${index}`;
    if (model_limits.findIndex((other) => other.model === model) < index) {
      throw invalid(`${param}.model`, `${model} is listed twice. Put all limits for a model into one entry.`);
    }
    assertBudgets(own, `${param}.budgets`, gpuPricePerHour);
  }
};

const assertBudgets = (budgets: readonly Budget[], param: string, price: number | undefined): void => {
  const seen = new Set<string>();
  for (const [index, { unit, amount, window, alignment = "calendar" }] of budgets.entries()) {
    const name = `${unit} per ${window}, ${alignment}`;
    if (seen.has(name)) throw invalid(`${param}.${index}`, `There are two budgets for ${name}. Keep one of them.`);
    seen.add(name);
    if ((unit === "requests" || unit === "tokens") && !Number.isInteger(amount)) {
      throw invalid(`${param}.${index}.amount`, `A budget of ${unit} must be a whole number, not ${amount}.`);
    }
    if (unit === "money" && price === undefined) {
      throw invalid(
        `${param}.${index}.unit`,
        "A budget in money needs the price of the machine. Set GROUNDWIRE_GPU_PRICE_PER_HOUR, or use gpu_seconds.",
      );
    }
  }
};

const invalid = (param: string, message: string): AppError => new AppError("invalid_request", message, { param });
