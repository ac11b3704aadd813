import { expect, test } from "bun:test";
import { LineBlocks } from "./log";

const recording = () => {
  const written: string[] = [];
  const sink = {
    write: (text: string) => written.push(text),
    flush: (done?: () => void) => done?.(),
    flushSync: () => {},
  };
  return { written, blocks: new LineBlocks(sink) };
};

test("lines are buffered and written as one block", () => {
  const { written, blocks } = recording();
  const line = `${"x".repeat(1023)}\n`;
  for (let i = 0; i < 31; i++) blocks.write(line);
  expect(written).toEqual([]);
  blocks.write(line);
  expect(written).toEqual([line.repeat(32)]);
});

test("a flush writes the rest in order and resolves when it is written", async () => {
  const { written, blocks } = recording();
  blocks.write("1\n");
  blocks.write("2\n");
  await new Promise<void>((resolve) => blocks.flush(() => resolve()));
  blocks.flushSync();
  expect(written).toEqual(["1\n2\n"]);
});

test("all lines are written, whether a process exits immediately or waits for its flush", async () => {
  const script = (end: string) =>
    `import { createLog } from "${import.meta.dir}/log"; const log = createLog("jobs", "info"); for (let i = 0; i < 1000; i++) log.info({ i }); ${end}`;
  // The reader waits until the pipe is full.
  const read = `exec 3>&1; "$0" -e "$1" 2>&1 >/dev/null | (sleep 0.3; cat >&3)`;
  for (const end of ["process.exit(0)", "log.flush(() => process.exit(0))", ""]) {
    const child = Bun.spawn(["sh", "-c", read, process.execPath, script(end)], { stdout: "pipe" });
    const lines = (await new Response(child.stdout).text()).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).i)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  }
});

test("a line of prepared fields is identical to pino's line and respects the log level", async () => {
  const script = `import { createLog, logFields } from "${import.meta.dir}/log"; const log = createLog("jobs", "info");
    log.info({ a: 1 }, "x"); logFields(log, "info", '"a":1,"msg":"x"'); logFields(log, "debug", '"a":2');`;
  const child = Bun.spawn([process.execPath, "-e", script], { stderr: "pipe" });
  const lines = (await new Response(child.stderr).text()).trim().split("\n");
  const [byPino, prepared, ...others] = lines.map((line) => ({ ...JSON.parse(line), time: "" }));
  expect(prepared).toEqual(byPino);
  expect(prepared).toMatchObject({ level: "info", component: "jobs", a: 1, msg: "x" });
  expect(others).toEqual([]);
});
