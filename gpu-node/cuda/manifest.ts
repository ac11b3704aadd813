import { join } from "node:path";

/** The fields of the root's package.json that the manifest for GPU machines changes. */
interface Manifest {
  [field: string]: unknown;
  overrides: Record<string, string>;
}

export const ROOT = join(import.meta.dir, "..", "..");
/**
 * Matches the packages that a GPU machine needs and that the root overrides with the empty package `not-installed`, by
 * their name in package.json or their key in bun.lock. Other overrides are kept.
 */
export const GPU_BINARIES = /^(node-llama-cpp\/)?@node-llama-cpp\/.*(cuda|vulkan)/;

/**
 * The root's manifest without the overrides that exclude node-llama-cpp's GPU binaries (600 MB). Everything else is the
 * same, so that both lockfiles have the same versions.
 */
export const cudaManifest = (root: Manifest): Record<string, unknown> => {
  const { overrides, ...rest } = root;
  const kept = Object.entries(overrides).filter(([name]) => !GPU_BINARIES.test(name));
  return { ...rest, ...(kept.length > 0 && { overrides: Object.fromEntries(kept) }) };
};

const readRootManifest = (): Promise<Manifest> => Bun.file(join(ROOT, "package.json")).json();

/** The expected text of gpu-node/cuda/package.json. */
export const cudaManifestText = async (): Promise<string> =>
  `${JSON.stringify(cudaManifest(await readRootManifest()), null, 2)}\n`;
