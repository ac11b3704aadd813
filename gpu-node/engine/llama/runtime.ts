import { getLlama, type Llama, type LlamaContext, LlamaLogLevel, type LlamaModel } from "node-llama-cpp";
import type { Config } from "../../../lib/config";
import { AppError } from "../../../lib/errors";
import type { Log } from "../../../lib/log";
import { checkGguf } from "../../models/gguf";
import { defaultThreads, readCpuShare } from "./threads";

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

/** llama.cpp's own limit of sequences in one context. */
const MOST_SLOTS = 256;

/** Loads a GGUF file. `onProgress` gets 0…1. Throws AppError (invalid_request, unavailable) that says what to do. */
export const loadRuntime = async (
  path: string,
  { slots, contextTokens, threads: wantedThreads, gpu }: Config["node"],
  log: Log,
  onProgress: (fraction: number) => void,
): Promise<LlamaRuntime> => {
  await checkGguf(path);
  if (slots > MOST_SLOTS) {
    const message = `GROUNDWIRE_NODE_SLOTS is ${slots}, and the engine llama has at most ${MOST_SLOTS}.`;
    throw new AppError("invalid_request", message, { param: "GROUNDWIRE_NODE_SLOTS" });
  }
  const llama = await startLlama(gpu, wantedThreads, log);
  const threads = llama.maxThreads;
  try {
    const model = await llama
      .loadModel({ modelPath: path, onLoadProgress: onProgress })
      .catch((cause) => refuse(unreadable(path), cause));
    const contextWindow = Math.min(contextTokens, model.trainContextSize);
    const batchSize = Math.max(BATCH_TOKENS, slots);
    const context = await model
      .createContext({
        sequences: slots,
        contextSize: contextWindow,
        batchSize,
        threads,
        failedCreationRemedy: false, // a smaller context than asked for would refuse prompts that the settings promise
      })
      .catch(async (cause) => refuse(await noRoom(model, { slots, contextWindow, batchSize }), cause));
    return { llama, model, context, contextWindow, threads, dispose: () => llama.dispose() };
  } catch (error) {
    await llama.dispose();
    throw error;
  }
};

const refuse = (message: string, cause: unknown): never => {
  throw new AppError("unavailable", message, { source: "node", cause });
};

const unreadable = (path: string): string =>
  `llama.cpp can't load ${path}. The file is damaged or incomplete, needs a newer llama.cpp, or is larger than the free ` +
  "memory; the log says which. Fetch it again, or choose another with GROUNDWIRE_CHAT_MODEL.";

interface ContextShape {
  slots: number;
  contextWindow: number;
  batchSize: number;
}

const noRoom = async (
  { fileInsights, gpuLayers }: LlamaModel,
  { slots, contextWindow, batchSize }: ContextShape,
): Promise<string> => {
  const { cpuRam, gpuVram } = await fileInsights.estimateContextResourceRequirementsV2({
    contextSize: contextWindow,
    sequences: slots,
    batchSize,
    modelGpuLayers: gpuLayers,
    flashAttention: "auto",
  });
  const gib = ((cpuRam + gpuVram) / 2 ** 30).toFixed(1);
  return (
    `There is no memory for ${slots} slots of ${contextWindow} tokens: about ${gib} GiB beside the model. ` +
    "Lower GROUNDWIRE_NODE_SLOTS or GROUNDWIRE_NODE_CONTEXT_TOKENS."
  );
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
