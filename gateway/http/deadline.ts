import { AppError } from "../../lib/errors";

/** `x-deadline-ms`: how long the caller waits for the whole answer, in milliseconds from arrival. Throws invalid_request. */
export const deadlineOf = (headers: Headers): number | undefined => {
  const given = headers.get("x-deadline-ms");
  if (given === null) return undefined;
  if (/^[1-9]\d{0,8}$/.test(given)) return Number(given);
  throw new AppError("invalid_request", "The header x-deadline-ms must be a whole number of milliseconds, 1 or more.");
};

export const deadlineExceeded = (deadlineMs: number): AppError =>
  new AppError("deadline_exceeded", `The answer was not complete within the request's deadline of ${deadlineMs} ms.`);
