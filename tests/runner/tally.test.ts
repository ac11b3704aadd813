import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runFiles } from "./run-group";
import { exitCodeOf, finalLine, skipGroup, sum, tallyGroup } from "./tally";

/** Runs the given sources as test files with the real runner and counts the results. */
const tallyOf = async (sources: Record<string, string>) => {
  const folder = mkdtempSync(join(tmpdir(), "groundwire-tally-"));
  try {
    for (const [name, source] of Object.entries(sources)) {
      writeFileSync(join(folder, name), `import { test, expect, describe, afterAll } from "bun:test";\n${source}\n`);
    }
    return tallyGroup(await runFiles(Object.keys(sources), { cwd: folder, quiet: true }));
  } finally {
    rmSync(folder, { recursive: true });
  }
};

describe("counting from the runner's report", () => {
  test("passed, failed and skipped tests are counted, and failed tests are listed with their describe blocks", async () => {
    const tally = await tallyOf({
      "a.test.ts": `describe("a <&> \\"b\\"", () => {
        test("holds", () => {}); test("breaks 'here'", () => { expect(1).toBe(2); });
        test.skip("later", () => {}); test.todo("some day"); });`,
      "b.test.ts": `test("holds too", () => {});`,
    });
    expect(finalLine(tally)).toBe("2 passed, 1 failed, 2 skipped");
    expect(tally.failures).toEqual([`a.test.ts: a <&> "b" > breaks 'here'`]);
  });

  test("a file that can't be loaded is a failure", async () => {
    const tally = await tallyOf({ "a.test.ts": `test("a", () => {});`, "b.test.ts": `import "./nowhere";` });
    expect([tally.passed, tally.failed]).toEqual([1, 1]);
    expect(tally.failures[0]).toStartWith("b.test.ts: reported no test");
  });

  test("a file without a test is a failure", async () => {
    const tally = await tallyOf({ "a.test.ts": `test("a", () => {});`, "b.test.ts": "" });
    expect([tally.passed, tally.failed]).toEqual([1, 1]);
  });

  test("a failing hook is a failure", async () => {
    const tally = await tallyOf({ "a.test.ts": `afterAll(() => { throw new Error("x"); }); test("a", () => {});` });
    expect([tally.passed, tally.failed]).toEqual([1, 1]);
  });

  test.each(['process.kill(process.pid, "SIGKILL")', "process.exit(0)"])(
    "a file that ends its process is a failure, and the others still run: %s",
    async (end) => {
      const tally = await tallyOf({
        "a.test.ts": `test("a", () => {});`,
        "b.test.ts": `test("b", () => { ${end}; });`,
        "c.test.ts": `test("c", () => {});`,
      });
      expect([tally.passed, tally.failed]).toEqual([2, 1]);
      expect(tally.failures[0]).toStartWith("b.test.ts: ");
    },
  );

  test("a truncated report and an unexplained exit code are failures", () => {
    const cut = `<testsuites><testsuite name="a" file="a"><testcase name="x" file="a" />`;
    expect(tallyGroup({ files: ["a"], exitCode: 1, report: cut }).failed).toBe(1);
    const whole = `${cut}</testsuite></testsuites>`;
    expect(tallyGroup({ files: ["a"], exitCode: 0, report: whole }).failed).toBe(0);
    expect(tallyGroup({ files: ["a"], exitCode: 1, report: whole }).failed).toBe(1);
  });
});

test("a run exits 0 only if a test passed and none failed", () => {
  const passed = { passed: 1, failed: 0, skipped: 0, failures: [] };
  const failed = { passed: 0, failed: 1, skipped: 0, failures: ["a: b"] };
  expect(exitCodeOf(sum([passed, skipGroup(["b"])]))).toBe(0);
  expect(exitCodeOf(sum([passed, failed]))).toBe(1);
  expect(exitCodeOf(skipGroup(["b"]))).toBe(1);
  expect(exitCodeOf(sum([]))).toBe(1);
});
