import { afterEach, beforeEach, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../tests/until";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "groundwire-bootstrap-"));
  mkdirSync(join(folder, "gateway/cli"), { recursive: true });
  mkdirSync(join(folder, "node_modules"));
  copyFileSync(join(import.meta.dir, "bootstrap.ts"), join(folder, "gateway/cli/bootstrap.ts"));
  mkdirSync(join(folder, "dependency"));
  writeFileSync(join(folder, "dependency/package.json"), '{ "name": "dependency", "version": "1.0.0" }');
  writeFileSync(join(folder, "package.json"), '{ "dependencies": { "dependency": "file:./dependency" } }');
  writeFileSync(join(folder, "bunfig.toml"), "");
  Bun.spawnSync([process.execPath, "install", "--lockfile-only"], { cwd: folder });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Starts a script that has to install first. It says when it runs, and which signals it gets before a SIGTERM ends it. */
const startFirst = () => {
  writeFileSync(
    join(folder, "gateway/cli/start.ts"),
    `import { withDependencies } from "./bootstrap";
    await withDependencies("production", async () => {
      for (const signal of ["SIGINT", "SIGHUP"]) process.on(signal, () => console.log(signal));
      process.on("SIGTERM", () => process.exit(7));
      console.log("up");
      await new Promise(() => setInterval(() => {}, 1000));
    });`,
  );
  const child = Bun.spawn([process.execPath, "gateway/cli/start.ts"], {
    cwd: folder,
    stdout: "pipe",
    stderr: "inherit",
  });
  const said: string[] = [];
  void (async () => {
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) said.push(...text.split("\n"));
  })();
  return { child, count: (line: string) => said.filter((each) => each === line).length };
};

test("a first start passes each signal on to the process that it starts after the installation, and ends with it", async () => {
  const { child, count } = startFirst();
  await until("the script runs", () => count("up") === 1);
  for (const signal of ["SIGINT", "SIGHUP"] as const) {
    child.kill(signal);
    await until(`${signal} is passed on`, () => count(signal) === 1);
  }
  child.kill("SIGTERM");
  expect(await child.exited).toBe(7);
});
