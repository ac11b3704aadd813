import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../../tests/until";
import { Supervisor } from "./supervisor";

let folder: string;
let supervisor: Supervisor;
let events: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "groundwire-supervisor-"));
  events = [];
  supervisor = new Supervisor({ onEvent: (message) => events.push(message), backoffMs: 10 });
});
afterEach(async () => {
  await supervisor.stop(0);
  rmSync(folder, { recursive: true });
});

const spec = (source: string) => {
  const script = join(folder, "child.ts");
  writeFileSync(script, source);
  return {
    name: "gateway",
    command: [process.execPath, script],
    env: { FOLDER: folder },
    logFile: join(folder, "gateway.log"),
  };
};

const RUNS = `const file = process.env.FOLDER + "/runs";
const runs = (await Bun.file(file).exists()) ? Number(await Bun.file(file).text()) : 0;
await Bun.write(file, String(runs + 1));`;
const runs = () => (existsSync(join(folder, "runs")) ? Number(readFileSync(join(folder, "runs"), "utf8")) : 0);

test("a process that dies after the start is restarted and reported", async () => {
  supervisor.keepAlive();
  supervisor.start(spec(`${RUNS} if (runs < 2) process.exit(3); setInterval(() => {}, 1000);`));
  await until("it has run three times", () => runs() === 3);
  expect(events).toEqual([
    "The gateway exited with code 3; restarting in 0.01 s.",
    "The gateway exited with code 3; restarting in 0.02 s.",
  ]);
});

test("a process that dies during the start stops it with that process's output, without log lines", async () => {
  const child = spec(`console.log('{"level":"info"}'); console.error("error No model here."); process.exit(1);`);
  writeFileSync(child.logFile, "an older run\n");
  supervisor.start(child);
  await expect(supervisor.failed).rejects.toThrow(
    `The gateway exited with code 1 while it started: No model here.\nIts log: ${child.logFile}`,
  );
});

test("stop lets a process finish its work", async () => {
  supervisor.start(
    spec(`process.on("SIGTERM", async () => { await Bun.write(process.env.FOLDER + "/drained", ""); process.exit(0); });
    await Bun.write(process.env.FOLDER + "/up", ""); setInterval(() => {}, 1000);`),
  );
  await until("it is up", () => existsSync(join(folder, "up")));
  await supervisor.stop(10_000);
  expect(existsSync(join(folder, "drained"))).toBe(true);
});

test("a process that does not end within its grace period is killed and not restarted", async () => {
  supervisor.keepAlive();
  supervisor.start(
    spec(
      `process.on("SIGTERM", () => {}); await Bun.write(process.env.FOLDER + "/up", ""); setInterval(() => {}, 1000);`,
    ),
  );
  await until("it is up", () => existsSync(join(folder, "up")));
  await supervisor.stop(20);
  expect(events).toEqual([]);
});
