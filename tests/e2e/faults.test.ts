import { expect, test } from "bun:test";
import { join } from "node:path";
import { NOT_RUN } from "../faults/tools";

/** Short runs of the scripts in tests/faults whose guarantees no other test in the suite checks with real processes. */
const SHORT: [script: string, ...options: string[]][] = [
  ["dns-gone", "1", "NXDOMAIN"],
  ["node-crashes", "4"],
  ["read-only-disk", "1"],
  ["claim-history", "300"],
  ["migration-kills", "60"],
];

test.concurrent.each(SHORT)(
  "a short run of the fault script %s succeeds",
  async (script, ...options) => {
    const command = [process.execPath, join(import.meta.dir, `../faults/${script}.ts`), ...options];
    const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "pipe"] });
    const [output, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    // A script that needs root or a missing program says so.
    if (code === NOT_RUN) console.log(`${script}: ${output.trim()}`);
    else expect([code, output, errors]).toEqual([0, output, errors]);
  },
  100_000,
);
