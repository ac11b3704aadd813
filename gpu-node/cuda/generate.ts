import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { cudaManifestText, ROOT } from "./manifest";

/** Writes package.json and bun.lock of this folder from the root's: `bun gpu-node/cuda/generate.ts`. Needs a network. */
const here = import.meta.dir;
await Bun.write(join(here, "package.json"), await cudaManifestText());
// The root's lockfile is the start, so that nothing but the packages that were left out is resolved anew.
await copyFile(join(ROOT, "bun.lock"), join(here, "bun.lock"));
const install = Bun.spawn([process.execPath, "install", "--lockfile-only", `--config=${join(ROOT, "bunfig.toml")}`], {
  cwd: here,
  stdout: "inherit",
  stderr: "inherit",
});
process.exitCode = await install.exited;
