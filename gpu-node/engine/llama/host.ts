import type { Llama } from "node-llama-cpp";
import type { Config } from "../../../lib/config";
import { AppError } from "../../../lib/errors";
import type { Log } from "../../../lib/log";
import { defaultThreads, readCpuShare } from "./threads";

/** llama.cpp in this process. All models share one, and with it the threads: together they never use more than there are. */
export interface LlamaHost {
  /** Started by whoever needs it first. Throws unavailable that says what to do. */
  start(): Promise<Llama>;
  /** Frees everything that was loaded. */
  dispose(): Promise<void>;
}

export const createLlamaHost = (node: Config["node"], log: Log): LlamaHost => {
  let started: Promise<Llama> | undefined;
  return {
    start: () => {
      started ??= startLlama(node, log);
      return started;
    },
    dispose: async () => {
      const llama = await started?.catch(() => undefined); // whoever started it knows why it could not
      await llama?.dispose();
    },
  };
};

/** Uses the binaries that came with the package; nothing is compiled or downloaded. */
const startLlama = async ({ gpu, threads }: Config["node"], log: Log): Promise<Llama> => {
  const { getLlama, LlamaLogLevel } = await import("node-llama-cpp");
  try {
    return await getLlama({
      gpu: gpu === "off" ? false : gpu,
      build: "never",
      skipDownload: true,
      progressLogs: false,
      maxThreads: threads ?? freeThreads(),
      logLevel: LlamaLogLevel.warn,
      logger: (level, message) => log[level === LlamaLogLevel.warn ? "debug" : "error"](`llama.cpp: ${message.trim()}`),
    });
  } catch (error) {
    throw new AppError(
      "unavailable",
      gpu === "auto" || gpu === "off"
        ? "llama.cpp has no binary for this machine. Run a server on it and set GROUNDWIRE_NODE_ENGINE=openai."
        : `llama.cpp has no binary for GROUNDWIRE_NODE_GPU=${gpu} here. Install from gpu-node/cuda, or use auto.`,
      { cause: error },
    );
  }
};

/** Undefined where the system doesn't tell: node-llama-cpp then counts the cores itself. */
const freeThreads = (): number | undefined => {
  const share = readCpuShare();
  return share && defaultThreads(share);
};
