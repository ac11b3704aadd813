import { readFileSync } from "node:fs";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { version } from "../package.json";

/**
 * The machine that this process runs on. Runs record it, because hardware affects latency and, with a GPU, results too.
 */
export const hostProfile = (): Record<string, unknown> => ({
  cpu: cpus()[0]?.model.trim() ?? "unknown",
  cores: cpus().length,
  memory_bytes: totalmem(),
  os: `${platform()} ${release()}`,
  arch: arch(),
  runtime: `bun ${Bun.version}`,
});

const ROOT = join(import.meta.dir, "..");

/** The version of this code, with the commit if it is a clone: `0.1.0+f339f9a1b2c3`. */
export const codeVersion = (): string => {
  const commit = readCommit();
  return commit ? `${version}+${commit.slice(0, 12)}` : version;
};

const readCommit = (): string | undefined => {
  const head = read(".git/HEAD");
  const name = /^ref: (\S+)$/.exec(head ?? "")?.[1];
  if (name === undefined) return head;
  return read(`.git/${name}`) ?? read(".git/packed-refs")?.match(new RegExp(`^([0-9a-f]{40}) ${name}$`, "m"))?.[1];
};

const read = (path: string): string | undefined => {
  try {
    return readFileSync(join(ROOT, path), "utf8").trim();
  } catch {
    return undefined; // Not a clone, or a release without its history.
  }
};
