import { parseJUnit } from "./junit";

/** Results of a group of test files. */
export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
  /** One line per failure: the file, then the test's name or the problem. */
  failures: string[];
}

export interface GroupRun {
  /** The files that should have run. */
  files: readonly string[];
  /** Exit code of the runner; null if a signal ended it. */
  exitCode: number | null;
  /** The runner's JUnit report; undefined if it did not write one. */
  report: string | undefined;
}

/**
 * Counts a group from the runner's report. These also count as failures: a file that is missing from the report (it did
 * not load, or has no tests), a missing or truncated report, and a non-zero exit code without a failed test.
 */
export const tallyGroup = ({ files, exitCode, report }: GroupRun): Tally => {
  const ended = exitCode === null ? "was killed" : `exited with code ${exitCode}`;
  const allFailed = (reason: string): Tally => ({
    passed: 0,
    failed: files.length,
    skipped: 0,
    failures: files.map((file) => `${file}: ${reason}`),
  });
  if (report === undefined) return allFailed(`the test runner ${ended} without a report`);

  let cases: ReturnType<typeof parseJUnit>;
  try {
    cases = parseJUnit(report);
  } catch {
    return allFailed(`the test runner ${ended} with a truncated report`);
  }
  const count = (outcome: string) => cases.filter((testCase) => testCase.outcome === outcome).length;
  const failures = cases.filter(({ outcome }) => outcome === "failed").map(({ file, name }) => `${file}: ${name}`);
  const seen = new Set(cases.map(({ file }) => file));
  for (const file of files) {
    if (!seen.has(file)) failures.push(`${file}: reported no test: it could not be loaded, or it has no tests`);
  }
  if (exitCode !== 0 && failures.length === 0) {
    failures.push(`the test runner ${ended}, but its report shows no failure`);
  }
  return { passed: count("passed"), failed: failures.length, skipped: count("skipped"), failures };
};

/** A group that this machine can't run: every file counts as one skipped test. */
export const skipGroup = (files: readonly string[]): Tally => ({
  passed: 0,
  failed: 0,
  skipped: files.length,
  failures: [],
});

export const sum = (tallies: readonly Tally[]): Tally => ({
  passed: tallies.reduce((total, { passed }) => total + passed, 0),
  failed: tallies.reduce((total, { failed }) => total + failed, 0),
  skipped: tallies.reduce((total, { skipped }) => total + skipped, 0),
  failures: tallies.flatMap(({ failures }) => failures),
});

/** The last line of the test command. */
export const finalLine = ({ passed, failed, skipped }: Tally): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** 0 only if a test passed and none failed. */
export const exitCodeOf = ({ passed, failed }: Tally): number => (failed === 0 && passed > 0 ? 0 : 1);
