import { test } from "bun:test";
import { join } from "node:path";

/** The checks that read the sources without running them, as package.json names them. */
const CHECKS: readonly [guarantee: string, script: string][] = [
  ["biome finds no lint error and no unformatted file", "lint"],
  ["tsc finds no type error", "typecheck"],
  ["knip finds no unused file, export or dependency", "unused"],
];
const TIMEOUT_MS = 300_000;

for (const [guarantee, script] of CHECKS) {
  const run = async () => {
    // `--bun` runs tools that are written for Node.js on Bun, so that Node.js need not be installed.
    const check = Bun.spawn([process.execPath, "--bun", "run", "--silent", script], {
      cwd: join(import.meta.dir, ".."),
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [findings, errors, exitCode] = await Promise.all([check.stdout.text(), check.stderr.text(), check.exited]);
    if (exitCode !== 0) throw new Error(`bun run ${script} ended with code ${exitCode}:\n${findings}${errors}`);
  };
  test(guarantee, run, TIMEOUT_MS);
}
