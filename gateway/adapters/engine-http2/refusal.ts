import { AppError } from "../../../lib/errors";
import type { EngineNode } from "./node";

const SECOND_MS = 1000;

/**
 * The error if no node accepts a request for `model`: model_loading, model_not_found or unavailable. `details` contains
 * the state of each node under the name that `/readyz` uses.
 */
export const noNodeFor = (nodes: readonly EngineNode[], model: string): AppError => {
  // An unreachable node counts with the models that it last reported.
  const serving = nodes.filter((node) => node.serves(model));
  const concerned = serving.length > 0 ? serving : nodes;
  const details = concerned.map(({ id, state }) => ({ path: `engine:${id}`, message: state }));
  const loading = nodes.find(({ state }) => state === "loading");
  if (loading) {
    const percent = Math.round((loading.readiness?.progress ?? 0) * 100);
    return new AppError("model_loading", `The model is still being loaded (${percent}%). Try again in a moment.`, {
      source: "node",
      retryAfterMs: 2 * SECOND_MS,
      details,
    });
  }
  if (serving.length === 0 && nodes.some(({ state }) => state !== "down")) {
    return new AppError("model_not_found", `Model "${model}" not found. GET /v1/models lists the models.`, {
      param: "model",
    });
  }
  const waitsMs = serving.map(({ state, breaker }) => (state === "ejected" ? breaker.openForMs : 0));
  const retryAfterMs = Math.max(SECOND_MS, waitsMs.length > 0 ? Math.min(...waitsMs) : 0);
  const seconds = Math.ceil(retryAfterMs / SECOND_MS);
  return new AppError(
    "unavailable",
    `No GPU node is available (${countStates(concerned)}). Try again in ${seconds === 1 ? "a second" : `${seconds} seconds`}.`,
    { retryAfterMs, details },
  );
};

/** "1 ejected, 2 down". */
const countStates = (nodes: readonly EngineNode[]): string =>
  [...Map.groupBy(nodes, ({ state }) => state)].map(([state, { length }]) => `${length} ${state}`).join(", ");
