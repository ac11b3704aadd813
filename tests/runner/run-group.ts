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
  /** Durations of earlier runs by file, as Bun writes them: the slowest files start first. */
  timingsFile?: string;
  /** Whether to write this run's durations to `timingsFile`. */
  updatesTimings?: boolean;
  quiet?: boolean;
}

/** Number of processes that share a group's files. Three keep two cores busy, because many tests wait. */
const PROCESSES = 3;

/** Runs test files, given relative to `cwd`, with Bun's test runner. */
export const runFiles = async (files: readonly string[], options: RunOptions): Promise<GroupRun> => {
  const { cwd, timeoutMs = 20_000, groupTimeoutMs = 15 * 60_000, quiet = false } = options;
  const { timingsFile, updatesTimings = false } = options;
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
        ...(timingsFile === undefined ? [] : [`--timings=${timingsFile}`]),
        ...(updatesTimings ? ["--update-timings"] : []),
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
