import { rename } from "node:fs/promises";
import { join } from "node:path";
import { GO_BIN } from "./tools";

/**
 * Installs the programs that some fault tests need: `bun tests/faults/setup.ts`. Go programs go where `go install`
 * writes them, and faketime comes from the system's packages, which needs root. Exits with 1 if one can't be installed.
 */

const TOXIPROXY = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0";
const H2SPEC = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible";

const run = async (...command: string[]): Promise<void> => {
  console.log(command.join(" "));
  const code = await Bun.spawn(command, { stdio: ["ignore", "inherit", "inherit"] }).exited;
  if (code !== 0) throw new Error(`${command[0]} exited with ${code}`);
};

const isInstalled = (name: string): boolean => Boolean(Bun.which(name) ?? Bun.which(name, { PATH: GO_BIN }));

const INSTALLERS: Record<string, () => Promise<void>> = {
  // Its package is called "server", and so is the program that `go install` builds.
  "toxiproxy-server": async () => {
    await run("go", "install", TOXIPROXY);
    await rename(join(GO_BIN, "server"), join(GO_BIN, "toxiproxy-server"));
  },
  h2spec: () => run("go", "install", H2SPEC),
  faketime: async () => {
    await run("apt-get", "update", "-qq");
    await run("apt-get", "install", "-y", "-qq", "faketime");
  },
};

for (const [name, install] of Object.entries(INSTALLERS)) {
  try {
    if (!isInstalled(name)) await install();
    console.log(`${name}: installed`);
  } catch (error) {
    console.error(`${name}: not installed: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
