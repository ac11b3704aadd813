import { AppError, toAppError } from "../../lib/errors";
import { Mutex } from "../../lib/mutex";
import { fromSent } from "../../lib/thread-errors";
import { ReadingThread } from "./reading/thread";

/** The largest accepted schema takes a tenth of this. */
const MAX_CHECK_MS = 5000;
const STALLED = "schema: it takes too long to check. Simplify its patterns and references.";

/** Each check briefly takes tens of megabytes, so only one runs at a time. */
const turns = new Mutex();

/**
 * Throws invalid_request unless this is a valid JSON Schema for samples. Runs in a separate thread, one schema at a
 * time, because its author controls how long the check takes.
 */
export const assertSampleSchema = (schema: Record<string, unknown>): Promise<void> => turns.run(() => check(schema));

const check = async (schema: Record<string, unknown>): Promise<void> => {
  using thread = new ReadingThread({ stallMs: MAX_CHECK_MS }, STALLED);
  try {
    const reply = await thread.ask({ kind: "schema", schema });
    if (reply.kind === "refused") throw fromSent(reply.error);
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.kind !== "deadline_exceeded") throw error;
    throw new AppError("invalid_request", error.message, { param: "schema" });
  }
};
