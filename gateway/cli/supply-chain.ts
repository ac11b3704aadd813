import { EXIT, paint, runCommand } from "../../lib/command";
import { overall, type Result } from "./doctor/check";
import { checkSupplyChain } from "./supply-chain/checks";

const HELP = `Checks where Groundwire's code comes from: pinned versions, hashes, install scripts, secrets, vulnerabilities.

  bun run supply-chain           prints a row per check
  bun run supply-chain --json    for scripts

Needs git, and the package registry for two test installations. gitleaks is used if it is installed.
Exit codes: 0 nothing failed, 1 a check failed. A check that can't run here is a warning.`;

const COLOURS = { passed: "green", warning: "yellow", failed: "red" } as const;

const print = (result: Result): void => {
  const status = paint(COLOURS[result.status], result.status.toUpperCase().padEnd(7));
  console.log(`${status}  ${result.name.padEnd(21)}  ${result.message}`);
  if (result.status !== "passed") console.log(`${" ".repeat(32)} ${paint("bold", "→")} ${result.remedy}`);
};

await runCommand(HELP, { json: { type: "boolean" } }, async ({ values }) => {
  const results = await checkSupplyChain(values.json ? undefined : print);
  const status = overall(results);
  if (values.json) console.log(JSON.stringify({ status, checks: results }, null, 2));
  return status === "failed" ? EXIT.failed : EXIT.ok;
});
