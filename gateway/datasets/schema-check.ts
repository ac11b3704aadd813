import { AppError, toAppError } from "../../lib/errors";
import { Mutex } from "../../lib/mutex";
import { fromSent } from "../../lib/thread-errors";
import { ReadingThread } from "./reading/thread";

/** The largest schema that is taken needs a tenth of it. */
const CHECK_MS = 5000;
const STALLED = "schema: it takes too long to check. Simplify its patterns and references.";

/** Each check takes tens of megabytes for a moment. */
const turns = new Mutex();

/**
 * Throws invalid_request for what is no JSON Schema for samples. In a thread of its own, one schema at a time: to check it
 * takes as long as its author wants.
 */
export const assertSampleSchema = (schema: Record<string, unknown>): Promise<void> => turns.run(() => check(schema));

const check = async (schema: Record<string, unknown>): Promise<void> => {
  using thread = new ReadingThread({ stallMs: CHECK_MS }, STALLED);
  try {
    const reply = await thread.ask({ kind: "schema", schema });
    if (reply.kind === "refused") throw fromSent(reply.error);
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.kind !== "deadline_exceeded") throw error;
    throw new AppError("invalid_request", error.message, { param: "schema" });
  }
};
