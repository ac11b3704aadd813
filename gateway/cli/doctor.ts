import { EXIT, paint, runCommand } from "../../lib/command";
import { toAppError } from "../../lib/errors";
import { readSettings, type Settings } from "../../lib/settings";
import { failed, overall, type Result, runCheck, type Status } from "./doctor/check";
import { machineChecks, storageChecks } from "./doctor/machine";
import { networkChecks } from "./doctor/network";
import { serverResults } from "./doctor/server";

const HELP = `Checks this machine and the configuration, and suggests a fix for each problem. Changes nothing.

  bun run doctor            for people
  bun run doctor --json     for scripts: {"status", "checks": [{"name", "status", "message", "remedy"?}]}
  bun run doctor --probe    also checks a model server outside this network

If another server runs the node's models (GROUNDWIRE_NODE_ENGINE=openai), doctor compares what it can do with what the
node offers. It sends the server's first model eleven short chats, for answers of at most 521 tokens in total, with a tiny
image and half a second of silence. A server outside this network gets them only with --probe: they may cost money.

Exit code: 0 all passed, 1 warnings, 2 something failed.`;

const CHECKS = { ...machineChecks, ...storageChecks, ...networkChecks };
const EXIT_CODES: Record<Status, number> = { passed: EXIT.ok, warning: 1, failed: 2 };
const COLOURS = { passed: "green", warning: "yellow", failed: "red" } as const;

const print = (result: Result): void => {
  console.log(
    `${paint(COLOURS[result.status], result.status.toUpperCase().padEnd(7))}  ${result.name.padEnd(18)}  ${result.message}`,
  );
  if (result.status !== "passed") console.log(`${" ".repeat(29)} ${paint("bold", "→")} ${result.remedy}`);
};

const check = async (report: (result: Result) => void, isProbe: boolean): Promise<Result[]> => {
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
  for await (const result of serverResults(settings, isProbe)) add(result);
  return results;
};

await runCommand(HELP, { json: { type: "boolean" }, probe: { type: "boolean" } }, async ({ values }) => {
  const results = await check(values.json ? () => {} : print, values.probe ?? false);
  const status = overall(results);
  if (values.json) console.log(JSON.stringify({ status, checks: results }, null, 2));
  else if (status === "passed") console.log("\nAll checks passed. Next: bun run start");
  return EXIT_CODES[status];
});
