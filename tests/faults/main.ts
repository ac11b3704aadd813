import { join } from "node:path";
import { runCommand } from "../../lib/command";
import { AppError } from "../../lib/errors";
import { NOT_RUN } from "./tools";

/** The scripts in the order in which they run. tests/faults/README.md says what each one does. */
const SCRIPTS = [
  "h2spec",
  "many-streams",
  "rapid-reset",
  "upload-bombs",
  "toxics",
  "frozen-node",
  "overload",
  "soak",
  "disk-full",
  "store-errors",
  "clock-jumps",
  "kill-nine",
  "rag-isolation",
  "rag-kill-nine",
  "batch-kill-nine",
  "key-timing",
  "webhook-kill-nine",
  "webhook-outages",
  "schemathesis",
];

const HELP = `Starts real processes and attacks them.

  bun run faults                     every script, about 35 minutes
  bun run faults toxics kill-nine    these scripts

Scripts: ${SCRIPTS.join(", ")}
bun tests/faults/setup.ts installs the programs that some of them need.`;

interface Outcome {
  script: string;
  result: "passed" | "FAILED" | "not run";
  seconds: number;
}

const run = async (script: string): Promise<Outcome> => {
  console.log(`\n=== ${script} ===`);
  const startedAt = performance.now();
  const command = [process.execPath, join(import.meta.dir, `${script}.ts`)];
  const code = await Bun.spawn(command, { stdio: ["ignore", "inherit", "inherit"] }).exited;
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  return { script, result: code === 0 ? "passed" : code === NOT_RUN ? "not run" : "FAILED", seconds };
};

await runCommand(
  HELP,
  {},
  async ({ positionals }) => {
    const unknown = positionals.find((name) => !SCRIPTS.includes(name));
    if (unknown !== undefined) {
      throw new AppError("invalid_request", `Unknown script "${unknown}". Scripts: ${SCRIPTS.join(", ")}.`);
    }
    const outcomes: Outcome[] = [];
    for (const script of positionals.length > 0 ? positionals : SCRIPTS) outcomes.push(await run(script));

    console.log("\n=== summary ===");
    for (const { script, result, seconds } of outcomes) {
      console.log(`${script.padEnd(20)}${result.padEnd(10)}${String(seconds).padStart(5)} s`);
    }
    const count = (wanted: Outcome["result"]) => outcomes.filter(({ result }) => result === wanted).length;
    console.log(`\n${count("passed")} passed, ${count("FAILED")} failed, ${count("not run")} not run`);
    return count("FAILED") === 0 ? 0 : 1;
  },
  { takesArguments: true },
);
