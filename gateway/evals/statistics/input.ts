import { AppError } from "../../../lib/errors";
import type { Groups } from "./clusters";

/** Throws invalid_request for a value that is not finite, or another number of groups than values. */
export const checkValues = (values: readonly number[], groups?: Groups): void => {
  if (groups && groups.length !== values.length) {
    throw new AppError("invalid_request", `${values.length} values have ${groups.length} groups. Give one for each.`);
  }
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong === -1) return;
  throw new AppError("invalid_request", `Value ${wrong} is ${values[wrong]}. Leave out what has no value.`);
};
