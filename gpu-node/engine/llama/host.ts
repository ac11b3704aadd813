import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Llama } from "node-llama-cpp";
import type { Config } from "../../../lib/config";
import { AppError } from "../../../lib/errors";
import type { Log } from "../../../lib/log";
import { dependencies } from "../../../package.json";

export type LlamaHost = ReturnType<typeof createLlamaHost>;

/** llama.cpp in this process. All models share its threads, so together they never exceed the configured number. */
export const createLlamaHost = (node: Config["node"], log: Log) => {
  let started: Promise<Llama> | undefined;
  return {
    /** Value of `x-engine`: "llama node-llama-cpp/3.22.1". */
    name: `llama node-llama-cpp/${dependencies["node-llama-cpp"]}`,
    /** Starts llama.cpp on first use. Throws unavailable. */
    start: () => {
      started ??= startLlama(node, log);
      return started;
    },
    /** Frees all loaded models. */
    dispose: async () => {
      const llama = await started?.catch(() => undefined); // the caller that started it has received the error
      await llama?.dispose();
    },
  };
};

/** Uses the binaries in the package; nothing is compiled or downloaded. */
const startLlama = async ({ gpu, threads }: Config["node"], log: Log): Promise<Llama> => {
  const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");
  const share = readCpuShare();
  try {
    return await getLlama({
      gpu: gpu === "off" ? false : gpu,
      build: "never",
      skipDownload: true,
      progressLogs: false,
      maxThreads: threads ?? (share && defaultThreads(share)), // undefined: llama.cpp counts the cores itself
      logLevel: LlamaLogLevel.warn,
      logger: (level, message) => log[level === LlamaLogLevel.warn ? "debug" : "error"](`llama.cpp: ${message.trim()}`),
    });
  } catch (error) {
    throw new AppError(
      "unavailable",
      gpu === "auto" || gpu === "off"
        ? "llama.cpp has no binary for this machine. Run an OpenAI-compatible server and set GROUNDWIRE_NODE_ENGINE=openai."
        : `No llama.cpp binary for GROUNDWIRE_NODE_GPU=${gpu} is installed. Install from gpu-node/cuda, or use auto.`,
      { cause: error },
    );
  }
};

/** The CPUs that this process may use. `quota` is CPU time in units of one CPU, undefined if there is no limit. */
export interface CpuShare {
  physicalCores: number;
  quota?: number;
}

/**
 * Number of threads for the engine: one per available physical core. With more threads than cores, threads wait for
 * each other (two cores, 135M model: 66 tokens/s with one thread, 0.3 with four). With two cores, one is left for the
 * gateway.
 */
export const defaultThreads = ({ physicalCores, quota = Number.POSITIVE_INFINITY }: CpuShare): number => {
  const cores = Math.max(1, Math.min(physicalCores, Math.floor(quota)));
  return cores === 2 ? 1 : cores;
};

/** Reads Linux CPU affinity, topology and cgroup limits from files under `root`; undefined on other systems. */
export const readCpuShare = (root = "/"): CpuShare | undefined => {
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(read(root, "proc/self/status") ?? "")?.[1];
  if (!allowed) return undefined;
  const cores = parseCpuList(allowed).map(
    (cpu) => read(root, `sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`) ?? String(cpu),
  );
  return { physicalCores: new Set(cores).size, quota: cgroupQuota(root) };
};

/** "0-2,8" → [0, 1, 2, 8] */
export const parseCpuList = (list: string): number[] =>
  list
    .trim()
    .split(",")
    .flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
    });

/** The lowest CPU limit of this process's cgroup and its parents, for cgroups v1 and v2. */
const cgroupQuota = (root: string): number | undefined => {
  const limits: number[] = [];
  for (const line of (read(root, "proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers = "", path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const isV2 = controllers === "";
    if (!isV2 && !controllers.split(",").includes("cpu")) continue;
    const mount = isV2 ? "sys/fs/cgroup" : `sys/fs/cgroup/${controllers}`;
    const parts = path.split("/").filter(Boolean);
    // A container sees its own group as the root of the mount, so the path may not exist. The mount itself is read too.
    for (let depth = parts.length; depth >= 0; depth--) {
      const limit = groupLimit(root, join(mount, ...parts.slice(0, depth)), isV2);
      if (limit !== undefined) limits.push(limit);
    }
  }
  return limits.length > 0 ? Math.min(...limits) : undefined;
};

const groupLimit = (root: string, group: string, isV2: boolean): number | undefined => {
  const [quota, period] = isV2
    ? (read(root, join(group, "cpu.max")) ?? "").split(/\s+/)
    : [read(root, join(group, "cpu.cfs_quota_us")), read(root, join(group, "cpu.cfs_period_us"))];
  const cpus = Number(quota) / Number(period);
  return cpus > 0 ? cpus : undefined; // "max", -1 and a missing file mean no limit
};

const read = (root: string, path: string): string | undefined => {
  const file = join(root, path);
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
};
