import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { findCatalogueModel, neededModels } from "../../../gpu-node/models/catalogue";
import { engines } from "../../../package.json";
import { type Check, failed, passed, warning } from "./check";

const GIB = 1024 ** 3;
const inGib = (bytes: number) => `${(bytes / GIB).toFixed(1)} GiB`;
/** Weights, KV cache and working memory of a model, as a multiple of its file. */
const MEMORY_PER_FILE_BYTE = 1.5;
/** Sockets of a thousand streams, twice: to the client and to the node. */
const FILES_WANTED = 4096;

const readOrNothing = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

const runtime: Check = {
  name: "runtime",
  run: () =>
    Bun.version === engines.bun
      ? passed(`Bun ${Bun.version}`)
      : warning(
          `Bun ${Bun.version}; this version was built and tested with ${engines.bun}`,
          `Run npx bun@${engines.bun} run start`,
        ),
};

const cpu: Check = {
  name: "cpu",
  run: () => {
    const cores = `${availableParallelism()} cores`;
    if (process.arch !== "x64") return passed(`${cores}, ${process.arch}`);
    const flags = /^flags\s*:(.*)$/m.exec(readOrNothing("/proc/cpuinfo"))?.[1]?.split(" ");
    if (!flags) return passed(`${cores}; this system does not report CPU features`);
    return flags.includes("avx2")
      ? passed(`${cores} with AVX2${flags.includes("avx512f") ? " and AVX-512" : ""}`)
      : warning(
          `${cores} without AVX2: the embedded engine is slow here`,
          "Use a machine with AVX2, or GROUNDWIRE_NODE_ENGINE=openai",
        );
  },
};

const memory: Check = {
  name: "memory",
  run: ({ config }) => {
    const limit = process.constrainedMemory();
    const total = Math.min(totalmem(), limit > 0 ? limit : Number.POSITIVE_INFINITY);
    const names = neededModels(config.node).map((kind) => config.models[kind]);
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
};

const gpu: Check = {
  name: "gpu",
  run: async ({ config }) => {
    const wanted = config.node.gpu;
    if (wanted === "off" || wanted === "metal") return passed(`setting: ${wanted}`);
    const found = await nvidiaGpus();
    if (found.length > 0) return passed(found.join(", "));
    return wanted === "cuda"
      ? failed(
          "GROUNDWIRE_NODE_GPU is cuda, and nvidia-smi finds no GPU",
          "Install the NVIDIA driver, or set GROUNDWIRE_NODE_GPU=auto",
        )
      : passed("no NVIDIA GPU; the engine uses another GPU or the CPU");
  },
};

const nvidiaGpus = async (): Promise<string[]> => {
  const program = Bun.which("nvidia-smi");
  if (!program) return [];
  const child = Bun.spawn([program, "--query-gpu=name,memory.total", "--format=csv,noheader"], { stderr: "ignore" });
  const text = await child.stdout.text();
  return (await child.exited) === 0 ? text.trim().split("\n").filter(Boolean) : [];
};

const fileLimit: Check = {
  name: "file-limit",
  run: () => {
    const soft = /^Max open files\s+(\d+)/m.exec(readOrNothing("/proc/self/limits"))?.[1];
    if (soft === undefined) return passed("this system does not report its limit");
    return Number(soft) >= FILES_WANTED
      ? passed(`${soft} open files`)
      : warning(`${soft} open files are allowed; a thousand streams need ${FILES_WANTED}`, `ulimit -n ${FILES_WANTED}`);
  },
};

export const machineChecks: readonly Check[] = [runtime, cpu, memory, gpu, fileLimit];
