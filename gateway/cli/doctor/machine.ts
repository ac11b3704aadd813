import { existsSync, mkdtempSync, readFileSync, rmdirSync, statfsSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { databaseOptions, openDb } from "../../../db/client";
import { findCatalogueModel, type ModelKind, type NeededModel, neededModels } from "../../../gpu-node/models/catalogue";
import { hashFile } from "../../../gpu-node/models/verify";
import type { Config } from "../../../lib/config";
import { silentLog } from "../../../lib/log";
import { engines } from "../../../package.json";
import { type Check, type Checks, type Finding, failed, passed, warning } from "./check";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const inGib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;
/** Memory for a model's weights, KV cache and working data, as a multiple of its file size. */
const MEMORY_PER_FILE_BYTE = 1.5;
/** Open files for a thousand streams: each has a socket to the client and one to the node. */
const RECOMMENDED_OPEN_FILES = 4096;

const readOrNothing = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

const nvidiaGpus = async (): Promise<string[]> => {
  const program = Bun.which("nvidia-smi");
  if (!program) return [];
  const child = Bun.spawn([program, "--query-gpu=name,memory.total", "--format=csv,noheader"], { stderr: "ignore" });
  const text = await child.stdout.text();
  return (await child.exited) === 0 ? text.trim().split("\n").filter(Boolean) : [];
};

/** `cpuInfo` is the text of `/proc/cpuinfo`, empty if the file does not exist. Only x64 has AVX2. */
export const findCpu = (cores: number, arch: string, cpuInfo: string): Finding => {
  const cpu = `${cores} ${cores === 1 ? "core" : "cores"}`;
  if (arch !== "x64") return passed(`${cpu}, ${arch}`);
  const flags = /^flags\s*:(.*)$/m.exec(cpuInfo)?.[1]?.split(" ");
  if (!flags) return passed(`${cpu}; this system does not report CPU features`);
  return flags.includes("avx2")
    ? passed(`${cpu} with AVX2`)
    : warning(
        `${cpu} without AVX2; models that run on this CPU are several times slower`,
        "Use a machine with AVX2, or GROUNDWIRE_NODE_ENGINE=openai",
      );
};

export const machineChecks: Checks = {
  runtime: () =>
    Bun.version === engines.bun
      ? passed(`Bun ${Bun.version}`)
      : warning(
          `Bun ${Bun.version}; this version was built and tested with ${engines.bun}`,
          `Run npx bun@${engines.bun} run start`,
        ),

  cpu: () => findCpu(availableParallelism(), process.arch, readOrNothing("/proc/cpuinfo")),

  memory: ({ config }) => {
    const limit = process.constrainedMemory();
    const total = Math.min(totalmem(), limit > 0 ? limit : Number.POSITIVE_INFINITY);
    const names = neededModels(config).map(({ name }) => name);
    const bytes = names.map((name) => findCatalogueModel(name)?.file.sizeBytes ?? Bun.file(name).size);
    const needed = bytes.reduce((sum, size) => sum + size, 0) * MEMORY_PER_FILE_BYTE;
    const models = names.join(" and ") || "its own model";
    return needed < total
      ? passed(`${inGib(total)}, about ${inGib(needed)} for ${models}`)
      : failed(
          `${inGib(total)}, and ${models} needs about ${inGib(needed)}`,
          "Choose smaller models with GROUNDWIRE_CHAT_MODEL and GROUNDWIRE_EMBEDDING_MODEL",
        );
  },

  gpu: async ({ config }) => {
    const wanted = config.node.gpu;
    if (wanted === "off" || wanted === "metal") return passed(`setting: ${wanted}`);
    const found = await nvidiaGpus();
    if (found.length > 0) return passed(found.join(", "));
    return wanted === "cuda"
      ? failed(
          "GROUNDWIRE_NODE_GPU is cuda, but nvidia-smi finds no GPU",
          "Install the NVIDIA driver, or set GROUNDWIRE_NODE_GPU=auto",
        )
      : passed("no NVIDIA GPU; the engine uses another GPU or the CPU");
  },

  "file-limit": () => {
    const soft = /^Max open files\s+(\d+)/m.exec(readOrNothing("/proc/self/limits"))?.[1];
    if (soft === undefined) return passed("this system does not report its limit");
    return Number(soft) >= RECOMMENDED_OPEN_FILES
      ? passed(`${soft} open files`)
      : warning(
          `${soft} open files are allowed; a thousand streams need ${RECOMMENDED_OPEN_FILES}`,
          `ulimit -n ${RECOMMENDED_OPEN_FILES}`,
        );
  },
};

const RECOMMENDED_MIB = 2048;
const MIN_MIB = 256;

/** The folder itself, or its nearest existing ancestor. */
const existing = (folder: string): string => (existsSync(folder) ? folder : existing(dirname(folder)));

const checkFolder = (folder: string, setting: string): Finding => {
  const at = existing(folder);
  try {
    rmdirSync(mkdtempSync(join(at, ".groundwire-doctor-")));
  } catch {
    return failed(`${at} is not writable`, `Give this user write access, or move it with ${setting}`);
  }
  const { bavail, bsize } = statfsSync(at);
  const freeMib = Math.floor((bavail * bsize) / MIB);
  const message = `${folder}: ${freeMib} MiB free`;
  const remedy = `Free some space, or move it with ${setting}`;
  if (freeMib < MIN_MIB) return failed(message, remedy);
  return freeMib < RECOMMENDED_MIB ? warning(message, remedy) : passed(message);
};

/** SQLite versions in which a checkpoint can lose a simultaneous commit: 3.7.0 to 3.51.2, except for two backports. */
const hasWalResetRace = (version: string): boolean => {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  if (major !== 3 || minor < 7) return false;
  if ((minor === 44 && patch >= 6) || (minor === 50 && patch >= 7)) return false;
  return minor < 51 || (minor === 51 && patch < 3);
};

const VARIABLES = {
  chat: "GROUNDWIRE_CHAT_MODEL",
  embedding: "GROUNDWIRE_EMBEDDING_MODEL",
  rerank: "GROUNDWIRE_RERANK_MODEL",
} as const;

const checkModel = async ({ kind, name }: NeededModel, { models }: Config): Promise<Finding> => {
  const known = findCatalogueModel(name);
  if (!known) {
    return existsSync(name)
      ? passed(`${name}, your own file`)
      : failed(`${VARIABLES[kind]} is ${name}: neither a catalogue model nor a file`, "bun run models list");
  }
  const path = join(models.dir, known.file.name);
  if (!existsSync(path)) return warning(`${known.file.name} is not downloaded yet`, "bun run models pull");
  if (known.file.sha256 === undefined) return passed(`${known.name}: its file is not pinned`);
  if ((await hashFile(path)) !== known.file.sha256) {
    return failed(`${path} does not match the catalogue: wrong sha256`, `rm ${path} && bun run models pull`);
  }
  return passed(`${known.name}: its sha256 is correct`);
};

const modelCheck =
  (kind: ModelKind): Check =>
  ({ config }) => {
    const needed = neededModels(config).find((model) => model.kind === kind);
    return needed ? checkModel(needed, config) : passed("the node doesn't load it from a file");
  };

export const storageChecks: Checks = {
  "data-folder": ({ config }) => checkFolder(config.dataDir, "GROUNDWIRE_DATA_DIR"),

  "models-folder": ({ config }) => checkFolder(config.models.dir, "GROUNDWIRE_MODELS_DIR"),

  database: async ({ config }) => {
    const options = databaseOptions(config);
    const file = options.url.startsWith("file:") ? options.url.slice("file:".length) : undefined;
    if (file && !existsSync(file)) return passed(`${file} is created on the first start`);
    const db = await openDb(options, silentLog());
    try {
      const { version } = await db.get<{ version: string }>("SELECT sqlite_version() AS version");
      if (file) {
        const [row] = await db.all<{ quick_check: string }>("PRAGMA quick_check(1)");
        if (row?.quick_check !== "ok") {
          return failed(`${file} is damaged: ${row?.quick_check}`, "Stop Groundwire and restore a backup of this file");
        }
      }
      await db.write(async () => {}); // takes the write lock and releases it
      const race = hasWalResetRace(version)
        ? ", whose WAL-reset race can't occur: one process at a time checkpoints"
        : "";
      return passed(`${file ?? new URL(options.url).host} is writable; SQLite ${version}${race}`);
    } finally {
      await db.close();
    }
  },

  model: modelCheck("chat"),

  "embedding-model": modelCheck("embedding"),

  "rerank-model": modelCheck("rerank"),
};
