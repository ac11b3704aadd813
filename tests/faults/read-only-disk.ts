import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stack } from "../harness";
import { until } from "../until";
import { checkStore, evaluate, isIntact, isRefused, storeProblem } from "./store-client";
import { endAsNotRun } from "./tools";

/**
 * Makes the data folder's file system read-only while the gateway and a worker have files open, as Linux does after a
 * disk error: an ext4 image is mounted with errors=remount-ro, and its journal is aborted.
 * `bun run faults read-only-disk`, `bun tests/faults/read-only-disk.ts 10` for ten rounds. Needs root.
 *
 * No write may be acknowledged meanwhile, /readyz must report it within 5 s, and reads must still work. After the file
 * system is repaired and the gateway restarted, every acknowledged write must be present, and writes must succeed.
 */

const ROUNDS = Number(process.argv[2] ?? 3);
const WRITES = 10;
const NOTICED_MS = 5000;
const DISK_MIB = 96;

const folder = await mkdtemp(join(tmpdir(), "groundwire-read-only-"));
const [image, disk] = [join(folder, "image"), join(folder, "disk")];
const run = async (...command: string[]): Promise<number> =>
  Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] }).exited;
const mountDisk = () => run("mount", "-o", "loop,errors=remount-ro", image, disk);

await writeFile(image, "");
await truncate(image, DISK_MIB * 1_048_576);
await mkdir(disk);
if (!Bun.which("mkfs.ext4") || (await run("mkfs.ext4", "-q", "-F", image)) !== 0 || (await mountDisk()) !== 0) {
  await rm(folder, { recursive: true });
  endAsNotRun("it can't mount an ext4 image, which needs root and loop devices");
}

let stack: Stack | undefined;
let isBroken = false;
try {
  const data = join(disk, "data");
  await mkdir(data);
  const env = { GROUNDWIRE_DATA_DIR: data, GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000", GROUNDWIRE_LOG_LEVEL: "error" };
  const running = await Stack.start({ engine: "synthetic", env });
  stack = running;
  const acknowledged: string[] = [];
  const statuses: Record<string, number> = {};
  const noticed: number[] = [];
  let wrong = 0;
  const write = async () => {
    const { id } = await evaluate(running);
    if (id) acknowledged.push(id);
    else wrong++;
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (let n = 0; n < WRITES; n++) await write();
    if ((await run("mount", "-o", "remount,abort", disk)) !== 0) throw new Error("The journal can't be aborted.");
    const startedAt = performance.now();
    for (let n = 0; n < WRITES; n++) {
      const refused = await evaluate(running);
      const name = `${refused.status} ${refused.code ?? ""}`.trim();
      statuses[name] = (statuses[name] ?? 0) + 1;
      if (!isRefused(refused)) wrong++;
      if (refused.id) acknowledged.push(refused.id);
    }
    await until("/readyz reports the problem", async () => (await storeProblem(running)) !== undefined);
    noticed.push(performance.now() - startedAt);
    if ((await running.fetch("/v1/batch-evals")).status !== 200) wrong++;

    await running.gateway.stop();
    await run("umount", disk);
    // Exit code 1: errors were corrected.
    if ((await run("fsck.ext4", "-p", image)) > 1 || (await mountDisk()) !== 0)
      throw new Error("The disk can't be repaired.");
    await running.restartGateway();
    await write();
  }
  await running.gateway.stop();
  const check = await checkStore(join(data, "groundwire.db"), acknowledged);
  const noticedMs = Math.round(Math.max(...noticed));
  const row = { rounds: ROUNDS, acknowledged: acknowledged.length, writes: statuses, wrong, noticedMs, ...check };
  const isKept = wrong === 0 && noticedMs <= NOTICED_MS && isIntact(check);
  isBroken = !isKept;
  console.log(`${isKept ? "kept" : "MISS"} ${JSON.stringify(row)}`);
} finally {
  await stack?.stop();
  await run("umount", "--lazy", disk);
  await rm(folder, { recursive: true, force: true });
}
process.exit(isBroken ? 1 : 0);
