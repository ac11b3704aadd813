import type { Settings } from "../../../lib/settings";
import { withTimeout } from "../../../lib/with-timeout";

export type Status = "passed" | "warning" | "failed";

/** The result of a check, with a remedy unless it passed. */
export type Finding =
  | { status: "passed"; message: string }
  | { status: "warning" | "failed"; message: string; remedy: string };

export type Check = (settings: Settings) => Finding | Promise<Finding>;

/** The checks by name. Names don't change, because scripts read them. */
export type Checks = Readonly<Record<string, Check>>;

export type Result = Finding & { name: string };

export const passed = (message: string): Finding => ({ status: "passed", message });
export const warning = (message: string, remedy: string): Finding => ({ status: "warning", message, remedy });
export const failed = (message: string, remedy: string): Finding => ({ status: "failed", message, remedy });

const TIMEOUT_MS = 20_000;

/** Runs one check. A check that throws or times out fails. */
export const runCheck = async (name: string, check: Check, settings: Settings): Promise<Result> => {
  const late = failed(`no result within ${TIMEOUT_MS / 1000} s`, "Run it again, or check this machine's load.");
  try {
    return { name, ...((await withTimeout(Promise.resolve(check(settings)), TIMEOUT_MS)) ?? late) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { name, ...failed(message, "Fix this problem and run `bun run doctor` again.") };
  }
};

export const overall = (results: readonly Finding[]): Status => {
  if (results.some(({ status }) => status === "failed")) return "failed";
  return results.some(({ status }) => status === "warning") ? "warning" : "passed";
};
