import { LibsqlError } from "@libsql/client";
import { DrizzleQueryError } from "drizzle-orm";
import { AppError } from "../lib/errors";

/** SQLite base codes that mean "the file can't be read or written now": a permission, a device, a missing mount. */
const NOT_USABLE = new Set(["SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_PROTOCOL"]);

/** True if another connection holds the lock, so the statement may succeed a moment later. */
export const isBusy = (thrown: unknown): boolean =>
  thrown instanceof LibsqlError && (thrown.code === "SQLITE_BUSY" || thrown.code === "SQLITE_LOCKED");

/** True if the file is not a database or is damaged. */
export const isDamaged = (thrown: unknown): boolean =>
  thrown instanceof LibsqlError &&
  (thrown.code === "SQLITE_NOTADB" ||
    thrown.code === "SQLITE_CORRUPT" ||
    thrown.extendedCode === "SQLITE_IOERR_SHORT_READ");

/** True if a constraint, such as UNIQUE, rejected a row. Unwraps the driver's error. */
export const isConstraint = (thrown: unknown): boolean =>
  thrown instanceof LibsqlError
    ? thrown.code.startsWith("SQLITE_CONSTRAINT")
    : thrown instanceof Error && isConstraint(thrown.cause);

/** Unwraps drizzle's error, which would put SQL and parameters into the log. */
export const withoutSql = (thrown: unknown): unknown => (thrown instanceof DrizzleQueryError ? thrown.cause : thrown);

/** Calls the driver and converts its errors to an `AppError` with the original as the cause. */
export const named = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call();
  } catch (error) {
    throw toDatabaseError(error);
  }
};

const toDatabaseError = (cause: unknown): AppError => {
  if (cause instanceof AppError) return cause;
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
  if (code === "SQLITE_FULL") {
    return new AppError("storage_full", "The database's disk is full. Free some space; nothing was changed.", {
      cause,
    });
  }
  if (isBusy(cause)) {
    return new AppError("unavailable", "The database is busy with other work. Send the request again.", {
      retryAfterMs: 1000,
      cause,
    });
  }
  const isServerGone = code !== undefined && !code.startsWith("SQLITE_");
  if (isServerGone || (code !== undefined && NOT_USABLE.has(code))) {
    return new AppError("unavailable", "The database is unavailable. Try again; the log shows the reason.", {
      retryAfterMs: 5000,
      cause,
    });
  }
  return new AppError("internal", "The database rejected a statement. Include the request id when you report it.", {
    cause,
  });
};

const BASE_MS = 1;
export const MAX_RETRY_PAUSE_MS = 50;

/**
 * Retries `attempt` while another connection has the lock, at least once and until `deadlineMs` on the monotonic clock.
 * Waits with full jitter; the driver's own busy wait would block the event loop. Throws the last error.
 */
export const retryBusy = async <T>(attempt: () => Promise<T>, deadlineMs: number): Promise<T> => {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadlineMs) throw error;
      await Bun.sleep(Math.random() * Math.min(MAX_RETRY_PAUSE_MS, BASE_MS * 2 ** tries));
    }
  }
};
