import { copyFile, mkdir, mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stack } from "../harness";
import { until } from "../until";
import { checkStore, evaluate, isIntact, isRefused, storeProblem } from "./store-client";
import { endAsNotRun } from "./tools";

/**
 * Fills the disk of the data folder, a small tmpfs, and frees it again: `bun run faults disk-full`,
 * `bun tests/faults/disk-full.ts 5` for five cycles. Every write that doesn't fit must get a 507 or 503, nothing may be
 * partly stored, /readyz must name the cause, and writes must succeed again without a restart. Needs root for the mount.
 */

const CYCLES = Number(process.argv[2] ?? 20);
const DISK_MIB = 24;
const WRITES_WHEN_FULL = 10;
const FILLER_BYTES = 20_000;

const mountPoint = await mkdtemp(join(tmpdir(), "groundwire-disk-"));
const run = (...command: string[]) => Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] }).exited;
if ((await run("mount", "-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "tmpfs", mountPoint)) !== 0) {
  await rm(mountPoint, { recursive: true });
  endAsNotRun("a tmpfs can't be mounted, which needs root");
}

const data = join(mountPoint, "data");
const filler = join(mountPoint, "filler");
/** Leaves less free space than one write needs. The gateway may write in between, so the last bytes may not fit. */
const fillDisk = async (): Promise<void> => {
  const { bavail, bsize } = await statfs(mountPoint);
  await writeFile(filler, Buffer.alloc(bavail * bsize)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOSPC") throw error;
  });
};

let stack: Stack | undefined;
let isBroken = false;
try {
  await mkdir(data);
  const running = await Stack.start({
    engine: "synthetic",
    env: { GROUNDWIRE_DATA_DIR: data, GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000", GROUNDWIRE_LOG_LEVEL: "error" },
  });
  stack = running;
  const acknowledged: string[] = [];
  const statuses: Record<string, number> = {};
  const recoveries: number[] = [];
  let [wrong, unnoticed] = [0, 0];
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    await fillDisk();
    for (let n = 0; n < WRITES_WHEN_FULL; n++) {
      const write = await evaluate(running, FILLER_BYTES);
      const name = `${write.status} ${write.code ?? ""}`.trim();
      statuses[name] = (statuses[name] ?? 0) + 1;
      // Pages that earlier writes freed may still hold one.
      if (write.id) acknowledged.push(write.id);
      else if (!isRefused(write)) wrong++;
    }
    const isNamed = async () => (await storeProblem(running)) === "disk_full";
    await until("/readyz names the full disk", isNamed, 10_000).catch(() => unnoticed++);
    await rm(filler);
    const freedAt = performance.now();
    await until("a write succeeds again", async () => {
      const { id } = await evaluate(running);
      if (id) acknowledged.push(id);
      return id !== undefined;
    });
    await until("the gateway is ready again", async () => (await storeProblem(running)) === undefined);
    recoveries.push(performance.now() - freedAt);
  }
  await running.gateway.stop();
  // The copy keeps the check from needing space on the small disk.
  for (const end of ["", "-wal"])
    await copyFile(join(data, `groundwire.db${end}`), join(running.folder, `copy.db${end}`));
  const check = await checkStore(join(running.folder, "copy.db"), acknowledged);
  const refusals = Object.values(statuses).reduce((a, b) => a + b, 0) - (statuses["201"] ?? 0);
  const recoveredMs = Math.round(Math.max(...recoveries));
  console.log(
    JSON.stringify(
      {
        cycles: CYCLES,
        acknowledged: acknowledged.length,
        whenFull: statuses,
        wrong,
        unnoticed,
        recoveredMs,
        ...check,
      },
      null,
      2,
    ),
  );
  isBroken = !isIntact(check) || wrong > 0 || unnoticed > 0 || refusals < CYCLES;
} finally {
  await stack?.stop();
  await run("umount", mountPoint);
  await rm(mountPoint, { recursive: true, force: true });
}
process.exit(isBroken ? 1 : 0);
