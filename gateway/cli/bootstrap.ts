/**
 * Runs before anything is installed, so it imports only Bun's own modules.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");
/** Records what was installed in node_modules, so that a second start needs neither time nor network. */
const STAMP = join(ROOT, "node_modules", ".groundwire-install");

/** production: dependencies of the processes. all: also those of development and tests. */
type Scope = "production" | "all";

const fingerprint = (): string => {
  const hash = createHash("sha256");
  for (const file of ["package.json", "bun.lock", "bunfig.toml"]) hash.update(readFileSync(join(ROOT, file)));
  return `${hash.digest("hex")} ${process.platform} ${process.arch}`;
};

const isInstalled = (scope: Scope): boolean => {
  if (!existsSync(STAMP)) return false;
  const [installed, lock] = readFileSync(STAMP, "utf8").split("\n");
  return lock === fingerprint() && (installed === "all" || installed === scope);
};

/** Installs the locked dependencies. If that fails, prints the reason and returns false. */
const install = async (scope: Scope): Promise<boolean> => {
  const startedAt = performance.now();
  console.log("Installing the locked dependencies …");
  const command = [process.execPath, "install", "--frozen-lockfile", "--no-progress"];
  // Peers that we need are dependencies of our own; the rest (a compiler, above all) is 40 MB that nothing loads.
  if (scope === "production") command.push("--production", "--omit=peer");
  const child = Bun.spawn(command, { cwd: ROOT, stdin: "ignore", stdout: "pipe", stderr: "pipe", detached: true });
  passSignalsTo(child);
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) {
    if (child.signalCode !== null) return false;
    console.error(`${output}${errors}\nThe dependencies could not be installed. Check the network and run this again.`);
    return false;
  }
  writeFileSync(STAMP, `${scope}\n${fingerprint()}\n`);
  console.log(`Dependencies installed in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return true;
};

/** The child has a process group of its own, so Ctrl+C in a terminal reaches it by this alone, and once. */
const passSignalsTo = (child: Bun.Subprocess): void => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    const pass = () => child.kill(signal);
    process.on(signal, pass);
    void child.exited.then(() => process.off(signal, pass));
  }
};

/** Runs this same script again: a process that started without node_modules does not find packages installed later. */
const runAgain = async (): Promise<number> => {
  const command = [process.execPath, "--no-orphans", ...process.argv.slice(1)];
  const child = Bun.spawn(command, { stdio: ["inherit", "inherit", "inherit"], detached: true });
  passSignalsTo(child);
  return child.exited;
};

/** Runs `main` with the locked dependencies. Installs them first if they are missing or outdated. */
export const withDependencies = async (scope: Scope, main: () => Promise<unknown>): Promise<void> => {
  if (isInstalled(scope)) await main();
  else if (await install(scope)) process.exit(await runAgain());
  else process.exit(1);
};
