import { getLlama, type Llama, type LlamaContext, LlamaLogLevel, type LlamaModel } from "node-llama-cpp";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { checkGguf } from "../models/gguf";
import { defaultThreads, readCpuShare } from "./llama-threads";

/** A loaded model with the context that all its generations share. */
export interface LlamaRuntime {
  llama: Llama;
  model: LlamaModel;
  context: LlamaContext;
  /** Tokens of prompt and answer together, for one sequence. */
  contextWindow: number;
  threads: number;
  dispose(): Promise<void>;
}

/** Tokens that one batch holds: enough to use a GPU well, and short enough on a CPU to end within a second. */
const BATCH_TOKENS = 512;

/** Loads a GGUF file. `onProgress` gets 0…1. Throws AppError (invalid_request, unavailable) that says what to do. */
export const loadRuntime = async (
  path: string,
  { slots, contextTokens, threads: wantedThreads, gpu }: Config["node"],
  log: Log,
  onProgress: (fraction: number) => void,
): Promise<LlamaRuntime> => {
  await checkGguf(path);
  const llama = await startLlama(gpu, wantedThreads, log);
  const threads = llama.maxThreads;
  try {
    const model = await llama.loadModel({ modelPath: path, onLoadProgress: onProgress });
    const contextWindow = Math.min(contextTokens, model.trainContextSize);
    const context = await model.createContext({
      sequences: slots,
      contextSize: contextWindow,
      batchSize: Math.max(BATCH_TOKENS, slots),
      threads,
      failedCreationRemedy: false, // a smaller context than asked for would refuse prompts that the settings promise
    });
    return { llama, model, context, contextWindow, threads, dispose: () => llama.dispose() };
  } catch (error) {
    await llama.dispose();
    throw new AppError(
      "unavailable",
      `llama.cpp could not load ${path}: ${error instanceof Error ? error.message : String(error)}. ` +
        "If memory is short, lower GROUNDWIRE_NODE_SLOTS or GROUNDWIRE_NODE_CONTEXT_TOKENS.",
      { cause: error },
    );
  }
};

/** Uses the binaries that came with the package; nothing is compiled or downloaded. */
const startLlama = async (gpu: Config["node"]["gpu"], threads: number | undefined, log: Log): Promise<Llama> => {
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
