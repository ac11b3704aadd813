import { resolve } from "node:path";
import { BACKUP_STEPS, backUp } from "../../db/backup/backup";
import { databaseOptions } from "../../db/client";
import { EXIT, onlyArgument, paint, runCommand } from "../../lib/command";
import { loadConfig } from "../../lib/settings";
import { printFacts, showSteps } from "./backup-facts";

const HELP = `Copies the database into one file while Groundwire is running, and verifies the copy.

  bun run backup FILE           a new file; an existing file is never overwritten
  bun run backup FILE --json    for scripts

Restore it: bun run restore FILE. Model files are not included: they can be downloaded again.`;

await runCommand(
  HELP,
  { json: { type: "boolean", default: false } },
  async ({ values, positionals }) => {
    const name = onlyArgument(positionals, "Name one file.", HELP);
    const file = resolve(name);
    const startedMs = performance.now();
    const options = databaseOptions(loadConfig());
    const source = options.url.startsWith("file:") ? options.url.slice("file:".length) : undefined;
    const facts = await backUp(options, file, showSteps("copying, then verifying the copy", source, BACKUP_STEPS));
    const tookMs = Math.round(performance.now() - startedMs);
    if (values.json) console.log(JSON.stringify({ file, took_ms: tookMs, ...facts }, null, 2));
    else {
      console.log(`${paint("green", "Backed up")} to ${file} in ${(tookMs / 1000).toFixed(1)} s`);
      printFacts(facts);
      console.log(`\nCheck it elsewhere: bun run restore ${name} --check`);
    }
    return EXIT.ok;
  },
  { takesArguments: true },
);
