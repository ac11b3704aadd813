import { join } from "node:path";
import { runCommand } from "../../lib/command";
import { AppError } from "../../lib/errors";
import { NOT_RUN } from "./tools";

/**
 * Scripts that measure time or memory, in the order in which they run, one at a time. tests/faults/README.md says what
 * each one does. A non-empty value is the script's file name, followed by its options.
 */
const ALONE: Record<string, readonly string[]> = {
  h2spec: [],
  "many-streams": [],
  "unread-streams": [],
  "rapid-reset": [],
  "header-floods": [],
  "upload-bombs": [],
  toxics: [],
  overload: [],
  soak: [],
  stops: [],
  "key-timing": [],
};
/** Scripts that only count losses and wait for conditions, so several can run at the same time. */
const TOGETHER: Record<string, readonly string[]> = {
  "kill-nine": [],
  "frozen-node": [],
  "webhook-outages": [],
  "batch-kill-nine": [],
  "batches-kill-nine": [],
  "disk-full": [],
  "store-errors": [],
  "rag-kill-nine": [],
  "retry-storm": [],
  "node-outage": [],
  "cancel-resume": [],
  "frozen-worker": [],
  "batch-kill-nine-everything": ["batch-kill-nine", "50", "1000", "2", "--everything"],
  "node-crashes": [],
  "node-drains": [],
  "clock-jumps": [],
  "rag-isolation": [],
  "webhook-kill-nine": [],
  "dns-gone": [],
  "migration-kills": [],
  "claim-history": [],
  "quiet-streams": [],
  "read-only-disk": [],
  schemathesis: [],
};
const SCRIPTS = { ...ALONE, ...TOGETHER };
const PARALLEL = 3;

const HELP = `Starts real processes and attacks them.

  bun run faults                     every script
  bun run faults toxics kill-nine    only these scripts

Scripts: ${Object.keys(SCRIPTS).join(", ")}
bun tests/faults/setup.ts installs the programs that some of them need.`;

interface Outcome {
  script: string;
  result: "passed" | "FAILED" | "not run";
  seconds: number;
}

/** Runs a script and prints its output: as it arrives if `isAlone`, otherwise when the script has ended. */
const run = async (script: string, isAlone: boolean): Promise<Outcome> => {
  const [file = script, ...options] = SCRIPTS[script] ?? [];
  if (isAlone) console.log(`\n=== ${script} ===`);
  const startedAt = performance.now();
  const command = [process.execPath, join(import.meta.dir, `${file}.ts`), ...options];
  const output = isAlone ? "inherit" : "pipe";
  const child = Bun.spawn(command, { stdio: ["ignore", output, output] });
  const texts = [child.stdout, child.stderr].map((stream) => (stream ? new Response(stream).text() : ""));
  const [code, ...printed] = await Promise.all([child.exited, ...texts]);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  if (!isAlone) console.log(`\n=== ${script}, ${seconds} s ===\n${printed.join("").trim()}`);
  return { script, result: code === 0 ? "passed" : code === NOT_RUN ? "not run" : "FAILED", seconds };
};

await runCommand(
  HELP,
  {},
  async ({ positionals }) => {
    const unknown = positionals.find((name) => !Object.hasOwn(SCRIPTS, name));
    if (unknown !== undefined) {
      const names = Object.keys(SCRIPTS).join(", ");
      throw new AppError("invalid_request", `Unknown script "${unknown}". Scripts: ${names}.`);
    }
    const startedAt = performance.now();
    const chosen = positionals.length > 0 ? positionals : Object.keys(SCRIPTS);
    const outcomes: Outcome[] = [];
    for (const script of chosen) if (Object.hasOwn(ALONE, script)) outcomes.push(await run(script, true));
    const together = chosen.filter((script) => Object.hasOwn(TOGETHER, script));
    const lane = async () => {
      for (let script = together.shift(); script; script = together.shift()) outcomes.push(await run(script, false));
    };
    await Promise.all(Array.from({ length: PARALLEL }, lane));

    const minutes = ((performance.now() - startedAt) / 60_000).toFixed(0);
    console.log(`\n=== summary after ${minutes} minutes ===`);
    for (const { script, result, seconds } of outcomes) {
      console.log(`${script.padEnd(28)}${result.padEnd(10)}${String(seconds).padStart(5)} s`);
    }
    const count = (wanted: Outcome["result"]) => outcomes.filter(({ result }) => result === wanted).length;
    console.log(`\n${count("passed")} passed, ${count("FAILED")} failed, ${count("not run")} not run`);
    return count("FAILED") === 0 ? 0 : 1;
  },
  { takesArguments: true },
);
