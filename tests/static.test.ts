import { test } from "bun:test";
import { join } from "node:path";

/** Static checks of the sources, with their script names in package.json. */
const CHECKS: readonly [guarantee: string, script: string][] = [
  ["biome finds no lint errors or unformatted files", "lint"],
  ["tsc finds no type errors", "typecheck"],
  ["knip finds no unused files, exports or dependencies", "unused"],
];
const TIMEOUT_MS = 300_000;

for (const [guarantee, script] of CHECKS) {
  const run = async () => {
    // `--bun` runs Node.js tools on Bun, so that Node.js isn't needed.
    const check = Bun.spawn([process.execPath, "--bun", "run", "--silent", script], {
      cwd: join(import.meta.dir, ".."),
      env: { ...process.env, NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [findings, errors, exitCode] = await Promise.all([check.stdout.text(), check.stderr.text(), check.exited]);
    if (exitCode !== 0) throw new Error(`bun run ${script} exited with code ${exitCode}:\n${findings}${errors}`);
  };
  test.concurrent(guarantee, run, TIMEOUT_MS);
}
