import { AppError } from "../../lib/errors";

const MAX_DEPTH = 100;
/** A body of fewer bytes can't be nested deep enough to hurt, and most bodies are smaller. */
const HARMLESS_BYTES = 2048;

const isDeeper = (value: unknown, levels: number): boolean => {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const inner of Object.values(value)) if (isDeeper(inner, levels - 1)) return true;
  return false;
};

/** Refuses a body that is nested so deep that describing what is wrong with it would take longer than answering. */
export const checkDepth = (headers: Headers, body: unknown): void => {
  if (typeof body !== "object" || body === null) return;
  const length = headers.get("content-length");
  const isHarmless = length !== null && Number(length) < HARMLESS_BYTES && !headers.has("content-encoding");
  if (isHarmless) return;
  if (isDeeper(body, MAX_DEPTH)) {
    throw new AppError("invalid_request", `The body is nested more than ${MAX_DEPTH} levels deep.`);
  }
};
