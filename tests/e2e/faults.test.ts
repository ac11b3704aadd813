import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Short runs of the scripts in tests/faults whose guarantees no other test in the suite checks with real processes. */
const SHORT: [script: string, ...options: string[]][] = [
  ["dns-gone", "1", "NXDOMAIN"],
  ["node-crashes", "4"],
  ["read-only-disk", "1"],
  ["claim-history", "300"],
  ["migration-kills", "60"],
  ["batches-kill-nine", "6", "400"],
];

const isRoot = process.getuid?.() === 0;
const canIsolate = isRoot && Bun.spawnSync(["unshare", "--mount", "true"]).success;
const CAN_RUN: Record<string, boolean> = {
  "dns-gone": canIsolate,
  "read-only-disk": canIsolate && existsSync("/dev/loop-control") && Bun.which("mkfs.ext4") !== null,
};

for (const [script, ...options] of SHORT) {
  const run = async () => {
    const command = [process.execPath, join(import.meta.dir, `../faults/${script}.ts`), ...options];
    const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "pipe"] });
    const [output, errors, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect([code, output, errors]).toEqual([0, output, errors]);
  };
  const define = CAN_RUN[script] === false ? test.skip : test.concurrent;
  define(`a short run of the fault script ${script} succeeds`, run, 100_000);
}
