import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GroupRun } from "./tally";

export interface RunOptions {
  cwd: string;
  /** Timeout of one test in milliseconds. */
  timeoutMs?: number;
  /** Timeout of the whole group, after which it is killed and counts as failed. */
  groupTimeoutMs?: number;
  quiet?: boolean;
}

/** Processes that share the files of a group. More would slow down the model that they use. */
const PROCESSES = 2;

/** Runs test files, given relative to `cwd`, with Bun's test runner. */
export const runFiles = async (files: readonly string[], options: RunOptions): Promise<GroupRun> => {
  const { cwd, timeoutMs = 20_000, groupTimeoutMs = 15 * 60_000, quiet = false } = options;
  const folder = mkdtempSync(join(tmpdir(), "groundwire-report-"));
  const reportFile = join(folder, "junit.xml");
  const output = quiet ? "ignore" : "inherit";
  try {
    const child = Bun.spawn(
      [
        process.execPath,
        "test",
        `--timeout=${timeoutMs}`,
        "--no-orphans",
        `--parallel=${PROCESSES}`,
        // With isolation, each file would load the whole gateway again.
        "--no-isolate",
        "--reporter=junit",
        `--reporter-outfile=${reportFile}`,
        ...files.map((file) => `./${file}`),
      ],
      { cwd, stdio: ["ignore", output, output], timeout: groupTimeoutMs, killSignal: "SIGKILL" },
    );
    await child.exited;
    const report = Bun.file(reportFile);
    return {
      files,
      exitCode: child.exitCode,
      report: (await report.exists()) ? await report.text() : undefined,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
};
