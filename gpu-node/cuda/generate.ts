import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cudaManifestText, ROOT } from "./manifest";

/** Generates package.json and bun.lock here from the root's: `bun gpu-node/cuda/generate.ts`. Needs the network. */
const here = import.meta.dir;
const NOT_INSTALLED = "gpu-node/cuda/not-installed";

await Bun.write(join(here, "package.json"), await cudaManifestText());
// The temporary root has the empty package in the same place as the real one, so that Bun resolves it the same way.
const root = await mkdtemp(join(tmpdir(), "groundwire-cuda-"));
await cp(join(here, "package.json"), join(root, "package.json"));
await cp(join(ROOT, NOT_INSTALLED), join(root, NOT_INSTALLED), { recursive: true });
// Starting from the root's lockfile, Bun only resolves the packages that the root overrides.
await cp(join(ROOT, "bun.lock"), join(root, "bun.lock"));
const install = Bun.spawn([process.execPath, "install", "--lockfile-only", `--config=${join(ROOT, "bunfig.toml")}`], {
  cwd: root,
  stdout: "inherit",
  stderr: "inherit",
});
process.exitCode = await install.exited;
if (process.exitCode === 0) await cp(join(root, "bun.lock"), join(here, "bun.lock"));
await rm(root, { recursive: true });
