import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ADMIN_KEY, Stack } from "../harness";

/* `bun run eval` against a running server with the real default model, and in one process. */

const ROOT = join(import.meta.dir, "../..");
const CAPITALS = { France: "Paris", Italy: "Rome", Japan: "Tokyo", Peru: "Lima", Egypt: "Cairo", Kenya: "Nairobi" };

let stack: Stack;
let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "groundwire-eval-"));
  file = join(folder, "capitals.jsonl");
  const samples = Object.entries(CAPITALS).map(([country, capital]) => ({
    ...{ key: country, input: `What is the capital of ${country}?`, references: [capital], output: capital },
  }));
  await writeFile(file, samples.map((sample) => JSON.stringify(sample)).join("\n"));
  stack = await Stack.start({ engine: "llama", workers: 1, env: { GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000" } });
}, 120_000);
afterAll(async () => {
  await stack.stop();
  await rm(folder, { recursive: true });
});

const start = (options: readonly string[], env: Record<string, string> = {}) =>
  Bun.spawn([process.execPath, "gateway/cli/eval.ts", ...options], {
    cwd: ROOT,
    env: { ...process.env, GROUNDWIRE_API_KEY: ADMIN_KEY, GROUNDWIRE_NODE_THREADS: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
type Child = ReturnType<typeof start>;
const ended = async (child: Child) => {
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
};
const run = (...options: string[]) => ended(start(options));
const onServer = () => ["--url", stack.url, "--dataset", file, "--max-tokens", "12", "--evaluator", "exact@1"];

describe("exit code", () => {
  test("0: all rules pass, and the reports say so", async () => {
    const [junit, markdown, json] = ["report.xml", "reports/report.md", "report.json"].map((name) =>
      join(folder, name),
    );
    const files = ["--junit", junit ?? "", "--markdown", markdown ?? "", "--json", json ?? ""];
    const { code, stdout, stderr } = await run(...onServer(), "--gate", "errors<=0", "--set-baseline", ...files);
    expect([code, stdout]).toEqual([0, expect.stringContaining("Pass. The rule is met.")]);
    expect(stdout).toContain("capitals, revision 1: smollm2-135m-instruct");
    expect(stderr).toContain("6 / 6 results");
    expect(await Bun.file(junit ?? "").text()).toContain('<testcase name="errors &lt;= 0%" classname="capitals"/>');
    expect(await Bun.file(markdown ?? "").text()).toMatch(
      /^### Evaluation of capitals[\s\S]*\*\*Pass\. [\s\S]*\| errors <= 0% +\| pass/,
    );
    const report = await Bun.file(json ?? "").json();
    expect(report).toMatchObject({
      verdict: "pass",
      exit_code: 0,
      run: { state: "completed" },
      gate: { verdict: "pass" },
    });
    const dataset = (await (await stack.fetch("/v1/datasets/capitals")).json()) as { baseline_run_id: string };
    expect(dataset.baseline_run_id).toBe(report.run.id);
  }, 60_000);

  test("1: a rule fails; the run is compared with the baseline, and an unchanged file adds no revision", async () => {
    const { code, stdout } = await run(
      ...onServer(),
      "--gate",
      "errors<=0",
      "--gate",
      "pass_rate>=0.99",
      "--model",
      "smollm2-135m-instruct",
    );
    expect(code).toBe(1);
    expect(stdout).toContain("capitals, revision 1:");
    expect(stdout).toContain("Fail. Not met: pass_rate >= 99%.");
    expect(stdout).toMatch(/^Failures: \d$/m);
    expect(stdout).toMatch(
      /Compared with the baseline "capitals, smollm2-135m-instruct": No difference shown: the pass rate is/,
    );
  }, 60_000);

  test("3: there is not enough data", async () => {
    const json = join(folder, "undecided.json");
    const { code, stdout } = await run(...onServer(), "--gate", "pass_rate>=0.2", "--limit", "2", "--json", json);
    expect([code, stdout]).toEqual([3, expect.stringContaining("Not enough data to decide: pass_rate >= 20%.")]);
    expect((await Bun.file(json).json()).gate.rules[0].n).toBe(2);
  }, 60_000);

  test.each([
    ["a rule that can't be parsed", ["--gate", "pass_rate>0.8"], '"pass_rate>0.8" is not a gate rule. Examples:'],
    ["a share above 1", ["--gate", "pass_rate>=80"], "80 is not a share."],
    ["a number that is none", ["--limit", "many"], '--limit is "many". Use a whole number.'],
    ["an unknown option", ["--fast"], "Unknown option '--fast'"],
    ["an unknown model", ["--model", "gpt-9"], "gpt-9"],
    ["an unknown evaluator", ["--evaluator", "none@1"], 'Evaluator "none@1" not found.'],
    ["a file that doesn't exist", ["--dataset", "nowhere.jsonl"], "The file nowhere.jsonl does not exist."],
    ["an unknown dataset", ["--dataset", "nowhere"], 'Dataset "nowhere" not found.'],
    ["a model for stored outputs", ["--stored-outputs", "--model", "x"], "--stored-outputs calls no model."],
  ] as const)("2: %s", async (_, options, message) => {
    const { code, stderr } = await run(...onServer(), ...options);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test("2: a missing key, a wrong key, an invalid file, and a baseline rule without a baseline", async () => {
    const bad = join(folder, "bad.jsonl");
    await writeFile(bad, '{"input":""}\n{"output":"x"}\n');
    const [missing, wrong, invalid, lonely] = await Promise.all([
      ended(start(onServer(), { GROUNDWIRE_API_KEY: "" })),
      ended(start(onServer(), { GROUNDWIRE_API_KEY: "wrong" })),
      run(...onServer(), "--dataset", bad),
      run(...onServer(), "--name", "lonely", "--gate", "pass_rate>=baseline-0.02"),
    ]);
    expect([missing, wrong, invalid, lonely].map(({ code }) => code)).toEqual([2, 2, 2, 2]);
    expect(missing.stderr).toContain(`Set GROUNDWIRE_API_KEY to a key for ${stack.url} with the editor role.`);
    expect(invalid.stderr).toContain("  line 1: ");
    expect(lonely.stderr).toContain('"lonely" has no baseline run. Choose one with --baseline');
  }, 60_000);

  test("4: the server can't be reached", async () => {
    const { code, stderr } = await run("--url", "http://127.0.0.1:1", "--dataset", file);
    expect([code, stderr]).toEqual([4, expect.stringContaining("http://127.0.0.1:1 can't be reached")]);
  });

  test("4: Ctrl+C cancels the run", async () => {
    const child = start([...onServer(), "--max-tokens", "400", "--repeats", "20", "--gate", "pass_rate>=0.1"]);
    const isRunning = async () => {
      const { data } = (await (await stack.fetch("/v1/batch-evals?state=running")).json()) as {
        data: { id: string }[];
      };
      return data[0]?.id;
    };
    let id: string | undefined;
    while (id === undefined) id = await isRunning();
    child.kill("SIGINT");
    const { code, stderr } = await ended(child);
    expect([code, stderr]).toEqual([4, expect.stringContaining("The run was cancelled.")]);
    const cancelled = (await (await stack.fetch(`/v1/batch-evals/${id}`)).json()) as { state: string };
    expect(cancelled.state).toBe("cancelled");
  }, 60_000);
});

test("without a server, gateway, worker and the real model run in the command's own process", async () => {
  const env = { GROUNDWIRE_API_KEY: "" };
  const options = ["--dataset", file, "--limit", "2", "--max-tokens", "8", "--gate", "errors<=0"];
  const { code, stdout, stderr } = await ended(start(options, env));
  expect([code, code === 0 ? "" : stderr]).toEqual([0, ""]);
  expect(stdout).toContain("latency, p50 / p95");
}, 90_000);

test("stored outputs need no model, and --keep lets the next run be compared with an earlier one", async () => {
  const keep = join(folder, "kept");
  const options = ["--dataset", file, "--stored-outputs", "--evaluator", "exact@1", "--keep", keep];
  const first = await run(...options, "--gate", "pass_rate>=0.5", "--set-baseline");
  expect([first.code, first.stdout]).toEqual([0, expect.stringContaining("pass rate")]);
  const second = await run(...options, "--gate", "pass_rate>=baseline-0.5");
  expect([second.code, second.stdout]).toEqual([0, expect.stringContaining("pass_rate >= baseline - 50%")]);
}, 90_000);
