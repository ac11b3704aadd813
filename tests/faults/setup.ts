import { rename } from "node:fs/promises";
import { join } from "node:path";
import { findTool, GO_BIN, PYTHON } from "./tools";

/**
 * Installs the programs that some fault tests need: `bun tests/faults/setup.ts`. Go programs go where `go install`
 * writes them, Schemathesis gets a virtual environment in the home folder, and faketime is a system package, which
 * needs root. Exits with 1 if one can't be installed.
 */

const TOXIPROXY = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0";
const H2SPEC = "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible";
const SCHEMATHESIS = "schemathesis==4.32.5";

const run = async (...command: string[]): Promise<void> => {
  console.log(command.join(" "));
  const code = await Bun.spawn(command, { stdio: ["ignore", "inherit", "inherit"] }).exited;
  if (code !== 0) throw new Error(`${command[0]} exited with ${code}`);
};

const INSTALLERS: Record<string, () => Promise<void>> = {
  // Its package is called "server", and so is the program that `go install` builds.
  "toxiproxy-server": async () => {
    await run("go", "install", TOXIPROXY);
    await rename(join(GO_BIN, "server"), join(GO_BIN, "toxiproxy-server"));
  },
  h2spec: () => run("go", "install", H2SPEC),
  schemathesis: async () => {
    await run("python3", "-m", "venv", PYTHON);
    await run(join(PYTHON, "bin", "pip"), "install", "--quiet", SCHEMATHESIS);
  },
  faketime: async () => {
    await run("apt-get", "update", "-qq");
    await run("apt-get", "install", "-y", "-qq", "faketime");
  },
};

for (const [name, install] of Object.entries(INSTALLERS)) {
  try {
    if (findTool(name) === null) await install();
    console.log(`${name}: installed`);
  } catch (error) {
    console.error(`${name}: not installed: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
