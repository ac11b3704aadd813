import type { Llama, LlamaContext, LlamaModel } from "node-llama-cpp";
import type { Config } from "../../../lib/config";
import { AppError } from "../../../lib/errors";

/** A loaded model with the context that all its generations share. */
export interface LlamaRuntime {
  llama: Llama;
  model: LlamaModel;
  context: LlamaContext;
  /** Tokens of prompt and answer together, for one sequence. */
  contextWindow: number;
}

/** Tokens that one batch holds: enough to use a GPU well, and short enough on a CPU to end within a second. */
const BATCH_TOKENS = 512;

/** llama.cpp's own limit of sequences in one context. */
const MOST_SLOTS = 256;

/** Loads a chat model. `onProgress` gets 0…1. Throws AppError (invalid_request, unavailable) that says what to do. */
export const loadRuntime = async (
  llama: Llama,
  path: string,
  { slots, contextTokens }: Pick<Config["node"], "slots" | "contextTokens">,
  onProgress: (fraction: number) => void,
): Promise<LlamaRuntime> => {
  if (slots > MOST_SLOTS) {
    const message = `GROUNDWIRE_NODE_SLOTS is ${slots}, and the engine llama has at most ${MOST_SLOTS}.`;
    throw new AppError("invalid_request", message, { param: "GROUNDWIRE_NODE_SLOTS" });
  }
  const model = await loadModel(llama, path, "GROUNDWIRE_CHAT_MODEL", onProgress);
  const contextWindow = Math.min(contextTokens, model.trainContextSize);
  const batchSize = Math.max(BATCH_TOKENS, slots);
  const context = await model
    .createContext({
      sequences: slots,
      contextSize: contextWindow,
      batchSize,
      threads: llama.maxThreads,
      failedCreationRemedy: false, // a smaller context than asked for would refuse prompts that the settings promise
    })
    .catch(async (cause) => refuse(await noRoom(model, { slots, contextWindow, batchSize }), cause));
  return { llama, model, context, contextWindow };
};

/** Loads a GGUF file that `setting` names. Throws like `loadRuntime`. */
export const loadModel = async (
  llama: Llama,
  path: string,
  setting: string,
  onProgress: (fraction: number) => void,
): Promise<LlamaModel> => {
  return llama
    .loadModel({ modelPath: path, onLoadProgress: onProgress })
    .catch((cause) => refuse(unreadable(path, setting), cause));
};

const refuse = (message: string, cause: unknown): never => {
  throw new AppError("unavailable", message, { cause });
};

const unreadable = (path: string, setting: string): string =>
  `llama.cpp can't load ${path}. The file is damaged or incomplete, needs a newer llama.cpp, or is larger than the free ` +
  `memory; the log says which. Fetch it again, or choose another with ${setting}.`;

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
