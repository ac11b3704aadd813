import { resolve } from "node:path";
import { checkBackup } from "../../db/backup/check";
import { RESTORE_STEPS, restore } from "../../db/backup/restore";
import { databaseOptions } from "../../db/client";
import { EXIT, onlyArgument, paint, runCommand } from "../../lib/command";
import { loadConfig } from "../../lib/settings";
import { printFacts, showSteps } from "./backup-facts";

const HELP = `Replaces the database with a backup, after verifying the backup. The previous database is kept.

  bun run restore FILE --check    verifies the backup and changes nothing
  bun run restore FILE            stop Groundwire first: a database in use is not replaced

A libSQL server (LIBSQL_URL) must be empty.`;

const OPTIONS = { check: { type: "boolean", default: false }, json: { type: "boolean", default: false } } as const;

await runCommand(
  HELP,
  OPTIONS,
  async ({ values, positionals }) => {
    const name = onlyArgument(positionals, "Name one file.", HELP);
    const file = resolve(name);
    if (values.check) {
      const facts = await checkBackup(file);
      if (values.json) console.log(JSON.stringify({ file, ...facts }, null, 2));
      else {
        console.log(`${paint("green", "Complete:")} ${file}`);
        printFacts(facts);
      }
      return EXIT.ok;
    }
    const onStep = showSteps("verifying the backup, copying it, verifying the copy", file, RESTORE_STEPS);
    const { facts, before } = await restore(file, databaseOptions(loadConfig()), { onStep });
    if (values.json) console.log(JSON.stringify({ file, before: before ?? null, ...facts }, null, 2));
    else {
      console.log(`${paint("green", "Restored")} ${file}`);
      printFacts(facts);
      if (before) console.log(`  The previous database is kept: ${before}`);
      console.log("\nStart again: bun run start");
    }
    return EXIT.ok;
  },
  { takesArguments: true },
);
