import { expect, test } from "bun:test";
import { join } from "node:path";
import { cudaManifest, cudaManifestText, GPU_BINARIES, ROOT } from "./manifest";

const AGAIN = "run: bun gpu-node/cuda/generate.ts";

/** The locked packages by name. bun.lock is JSON with trailing commas. */
const lockedPackages = async (path: string): Promise<Record<string, unknown[]>> =>
  JSON.parse((await Bun.file(path).text()).replace(/,(\s*[}\]])/g, "$1")).packages;

test("the manifest for GPU machines is the root's without the overrides", async () => {
  expect(await Bun.file(join(import.meta.dir, "package.json")).text(), AGAIN).toBe(await cudaManifestText());
});

test("the lockfile for GPU machines has the root's packages plus the GPU binaries", async () => {
  const [root, cuda] = await Promise.all(
    [ROOT, import.meta.dir].map((folder) => lockedPackages(join(folder, "bun.lock"))),
  );
  const common = (packages: typeof root = {}) =>
    Object.fromEntries(Object.entries(packages).filter(([name]) => !GPU_BINARIES.test(name)));
  expect(common(cuda), AGAIN).toEqual(common(root));
  expect(root?.["node-llama-cpp/@node-llama-cpp/linux-x64-cuda"]?.[0]).toStartWith("not-installed@file:");
  expect(cuda?.["@node-llama-cpp/linux-x64-cuda"]?.[0]).toStartWith("@node-llama-cpp/linux-x64-cuda@");
});

test("other overrides are kept", () => {
  const empty = "file:./gpu-node/cuda/not-installed";
  const overrides = { "@node-llama-cpp/linux-x64-cuda": empty, tracker: empty, fixed: "1.2.3" };
  expect(cudaManifest({ overrides })).toEqual({ overrides: { tracker: empty, fixed: "1.2.3" } });
});
