import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stack } from "../harness";
import { until } from "../until";
import { checkStore, evaluate, isIntact, isRefused, storeProblem } from "./store-client";
import { endAsNotRun } from "./tools";

/**
 * Makes every write and sync of the database's files fail, with EIO and with EROFS as on a disk that the system has made
 * read-only: `bun run faults store-errors`. No write may be acknowledged meanwhile, /readyz must report it within 5 s,
 * and writes must succeed again without a restart. A small C library that is preloaded causes the errors.
 */

const ROUNDS = Number(process.argv[2] ?? 10);
const WRITES = 5;
const NOTICED_MS = 5000;

const folder = await mkdtemp(join(tmpdir(), "groundwire-errors-"));
const library = join(folder, "failing-disk.so");
const flag = join(folder, "flag");
const source = join(import.meta.dir, "failing-disk.c");
const compiler = Bun.which("cc") ?? endAsNotRun("cc, a C compiler, is not installed");
const compiled = Bun.spawn([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], {
  stdio: ["ignore", "inherit", "inherit"],
});
if ((await compiled.exited) !== 0) throw new Error("failing-disk.c can't be compiled");

let stack: Stack | undefined;
let isBroken = false;
try {
  const data = join(folder, "data");
  const running = await Stack.start({
    engine: "synthetic",
    env: {
      GROUNDWIRE_DATA_DIR: data,
      GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000",
      GROUNDWIRE_LOG_LEVEL: "error",
      LD_PRELOAD: library,
      FAIL_FOLDER: data,
      FAIL_FLAG: flag,
    },
  });
  stack = running;
  const acknowledged: string[] = [];
  for (const kind of ["EIO", "EROFS"]) {
    const statuses: Record<string, number> = {};
    const [noticed, recovered]: [number[], number[]] = [[], []];
    let wrong = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const before = await evaluate(running);
      if (before.id) acknowledged.push(before.id);
      else wrong++;
      await writeFile(flag, kind);
      const startedAt = performance.now();
      for (let n = 0; n < WRITES; n++) {
        const write = await evaluate(running);
        const name = `${write.status} ${write.code ?? ""}`.trim();
        statuses[name] = (statuses[name] ?? 0) + 1;
        if (!isRefused(write)) wrong++;
        if (write.id) acknowledged.push(write.id);
      }
      await until("/readyz reports it", async () => (await storeProblem(running)) !== undefined);
      noticed.push(performance.now() - startedAt);
      await rm(flag);
      const endedAt = performance.now();
      await until("a write succeeds again", async () => {
        const { id } = await evaluate(running);
        if (id) acknowledged.push(id);
        return id !== undefined;
      });
      await until("the gateway is ready again", async () => (await storeProblem(running)) === undefined);
      recovered.push(performance.now() - endedAt);
    }
    const [noticedMs, recoveredMs] = [noticed, recovered].map((times) => Math.round(Math.max(...times)));
    const isKept = wrong === 0 && (noticedMs ?? 0) <= NOTICED_MS;
    isBroken ||= !isKept;
    console.log(
      `${isKept ? "kept" : "MISS"} ${kind}: ${JSON.stringify({ rounds: ROUNDS, writes: statuses, wrong, noticedMs, recoveredMs })}`,
    );
  }
  await running.gateway.stop();
  const check = await checkStore(join(data, "groundwire.db"), acknowledged);
  console.log(JSON.stringify({ acknowledged: acknowledged.length, ...check }));
  isBroken ||= !isIntact(check);
} finally {
  await stack?.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exit(isBroken ? 1 : 0);
