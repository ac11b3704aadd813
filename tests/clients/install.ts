import { mkdir, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Program } from "./programs";

const FOLDER = join(homedir(), ".local", "share", "groundwire", "clients");
/** Lists the installed packages. Written once an installation has succeeded. */
const MARKER = "installed.txt";
const INSTALL_TIMEOUT_MS = 300_000;

/**
 * Installs a client in its own virtual environment, because clients need different versions of the same packages.
 * Returns the environment's folder, or undefined if pip failed.
 */
export const install = async ({ name, packages }: Program): Promise<string | undefined> => {
  const folder = join(FOLDER, name);
  const marker = Bun.file(join(folder, MARKER));
  const wanted = packages.join("\n");
  console.log(`${name}: ${packages.join(", ")}`);
  if ((await marker.exists()) && (await marker.text()) === wanted) return folder;

  const startedAt = performance.now();
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const isInstalled =
    (await run("python3", "-m", "venv", "--without-pip", folder)) &&
    (await run("python3", "-m", "pip", "--python", join(folder, "bin", "python"), "install", "--quiet", ...packages));
  if (!isInstalled) return undefined;
  await marker.write(wanted);
  console.log(`  installed in ${Math.round((performance.now() - startedAt) / 1000)} s`);
  return folder;
};

const run = async (...command: string[]): Promise<boolean> => {
  const child = Bun.spawn(command, { stdio: ["ignore", "inherit", "inherit"], timeout: INSTALL_TIMEOUT_MS });
  return (await child.exited) === 0;
};
