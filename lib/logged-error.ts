/** An error as it appears in a log. */
interface LoggedError {
  type: string;
  message?: string;
  /** The driver's or the system's code, or the kind of an `AppError`. */
  code?: string;
  stack?: string;
  cause?: LoggedError;
}

/** Longer chains of causes are truncated. */
const MAX_CAUSES = 5;

/**
 * Reduces an error to fields that hold no content: type, message, code and stack, and those of its causes. Drivers
 * attach the parameters of a statement to their errors, clients attach whole responses, and both may contain prompts.
 */
export const loggedError = (thrown: unknown, causesLeft = MAX_CAUSES): LoggedError => {
  // A thrown or attached value, such as a response's body, can hold anything.
  if (!(thrown instanceof Error)) return { type: thrown === null ? "null" : typeof thrown };
  const { name, cause } = thrown;
  const rest = cause !== undefined && causesLeft > 0 ? { cause: loggedError(cause, causesLeft - 1) } : {};
  // Drizzle's message and stack contain the statement and its parameters. Its cause says what was wrong.
  if ("query" in thrown && "params" in thrown) return { type: thrown.constructor.name, ...rest };
  return { type: name, message: thrown.message, ...codeOf(thrown), stack: thrown.stack, ...rest };
};

const codeOf = (error: Error): { code?: string } => {
  const code = "kind" in error ? error.kind : "code" in error ? error.code : undefined;
  return typeof code === "string" ? { code } : {};
};
