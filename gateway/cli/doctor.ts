import { EXIT, paint, runCommand } from "../../lib/command";
import { toAppError } from "../../lib/errors";
import { readSettings, type Settings } from "../../lib/settings";
import { failed, overall, type Result, runCheck, type Status } from "./doctor/check";
import { machineChecks, storageChecks } from "./doctor/machine";
import { networkChecks } from "./doctor/network";

const HELP = `Checks this machine and the configuration, and suggests a fix for each problem. Changes nothing.

  bun run doctor            for people
  bun run doctor --json     for scripts: {"status", "checks": [{"name", "status", "message", "remedy"?}]}

Exit code: 0 all passed, 1 warnings, 2 something failed.`;

const CHECKS = { ...machineChecks, ...storageChecks, ...networkChecks };
const EXIT_CODES: Record<Status, number> = { passed: EXIT.ok, warning: 1, failed: 2 };
const COLOURS = { passed: "green", warning: "yellow", failed: "red" } as const;

const print = (result: Result): void => {
  console.log(
    `${paint(COLOURS[result.status], result.status.toUpperCase().padEnd(7))}  ${result.name.padEnd(15)}  ${result.message}`,
  );
  if (result.status !== "passed") console.log(`${" ".repeat(26)} ${paint("bold", "→")} ${result.remedy}`);
};

const check = async (report: (result: Result) => void): Promise<Result[]> => {
  const results: Result[] = [];
  const add = (result: Result) => {
    results.push(result);
    report(result);
  };
  let settings: Settings;
  try {
    settings = readSettings();
  } catch (error) {
    add({
      name: "settings",
      ...failed(toAppError(error).message, "Fix them; `bun run config` shows the effective values"),
    });
    return results;
  }
  add({ name: "settings", status: "passed", message: "environment and groundwire.toml are valid" });
  for (const [name, each] of Object.entries(CHECKS)) add(await runCheck(name, each, settings));
  return results;
};

await runCommand(HELP, { json: { type: "boolean" } }, async ({ values }) => {
  const results = await check(values.json ? () => {} : print);
  const status = overall(results);
  if (values.json) console.log(JSON.stringify({ status, checks: results }, null, 2));
  else if (status === "passed") console.log("\nAll checks passed. Next: bun run start");
  return EXIT_CODES[status];
});
