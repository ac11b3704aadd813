import type { Llama, LlamaContext, LlamaModel, Token } from "node-llama-cpp";
import type { Config } from "../../../lib/config";
import { AppError } from "../../../lib/errors";
import { round } from "../../../lib/round";
import type { ModelKind } from "../../models/catalogue";
import { ensureModel, type ModelFile } from "../../models/download";
import type { LlamaHost } from "./host";

/** A model that llama.cpp has loaded, and its file. */
export interface LoadedModel {
  llama: Llama;
  file: ModelFile;
  model: LlamaModel;
  /** Tokens of prompt and answer together, or of one text to embed. */
  contextWindow: number;
}

/** A chat model with the context that all its generations share. */
export interface LlamaRuntime extends LoadedModel {
  context: LlamaContext;
}

/** The share of the loading progress that covers fetching and checking the file. */
const FILE_FRACTION = 0.7;

/** Tokens per batch: enough to use a GPU well, and few enough that a batch on a CPU takes less than a second. */
const BATCH_TOKENS = 512;

/** llama.cpp's own limit on sequences in one context. */
const MAX_SLOTS = 256;

/** Loads the chat model. Throws like `loadModel`, and unavailable if there is not enough memory for its context. */
export const loadRuntime = async (
  config: Config,
  host: LlamaHost,
  onProgress: (fraction: number) => void,
): Promise<LlamaRuntime> => {
  const { slots } = config.node;
  if (slots > MAX_SLOTS) {
    const message = `GROUNDWIRE_NODE_SLOTS is ${slots}, but the llama engine supports at most ${MAX_SLOTS}. Lower it.`;
    throw new AppError("invalid_request", message, { param: "GROUNDWIRE_NODE_SLOTS" });
  }
  const loaded = await loadModel("chat", config, host, onProgress);
  const { llama, model, contextWindow } = loaded;
  const shape = { sequences: slots, contextSize: contextWindow, batchSize: Math.max(BATCH_TOKENS, slots) };
  const context = await model
    .createContext({
      ...shape,
      threads: llama.maxThreads,
      failedCreationRemedy: false, // a smaller context would reject prompts that the configured size allows
    })
    .catch(async (cause) => {
      const { cpuRam, gpuVram } = await model.fileInsights.estimateContextResourceRequirementsV2({
        ...shape,
        modelGpuLayers: model.gpuLayers,
        flashAttention: "auto",
      });
      const gib = round((cpuRam + gpuVram) / 2 ** 30, 1);
      throw new AppError(
        "unavailable",
        `Not enough memory: ${slots} slots of ${contextWindow} tokens need about ${gib} GiB ` +
          "in addition to the model. Lower GROUNDWIRE_NODE_SLOTS or GROUNDWIRE_NODE_CONTEXT_TOKENS.",
        { cause },
      );
    });
  return { ...loaded, context };
};

const VARIABLES = {
  chat: "GROUNDWIRE_CHAT_MODEL",
  embedding: "GROUNDWIRE_EMBEDDING_MODEL",
  rerank: "GROUNDWIRE_RERANK_MODEL",
} as const;

/**
 * Fetches and loads the configured model of a kind. `onProgress` receives increasing fractions from 0 to 1. Throws the
 * AppErrors of `ensureModel` and the host, or unavailable.
 */
export const loadModel = async (
  kind: ModelKind,
  config: Config,
  host: LlamaHost,
  onProgress: (fraction: number) => void,
): Promise<LoadedModel> => {
  let reached = 0;
  const report = (fraction: number) => {
    reached = Math.max(reached, fraction); // a downloaded file is read again to check it, which restarts the count
    onProgress(reached);
  };
  const file = await ensureModel(kind, config, ({ done, total }) => report((FILE_FRACTION * done) / total));
  const llama = await host.start();
  const model = await llama
    .loadModel({
      modelPath: file.path,
      onLoadProgress: (fraction) => report(FILE_FRACTION + (1 - FILE_FRACTION) * fraction),
    })
    .catch((cause) => {
      throw new AppError(
        "unavailable",
        `llama.cpp can't load ${file.path}. The file is damaged or incomplete, needs a newer llama.cpp, or is larger than ` +
          `the free memory; the log says which. Fetch it again, or set ${VARIABLES[kind]} to another model.`,
        { cause },
      );
    });
  return { llama, file, model, contextWindow: Math.min(config.node.contextTokens, model.trainContextSize) };
};

/**
 * If a text has more characters than this for each token of the context window, only its start is tokenized at first.
 */
const CHARACTERS_PER_TOKEN = 32;

/**
 * Tokenizes a text without recognising control tokens. If even the start of a long text exceeds the context window,
 * returns the tokens of that start and `isWhole` false.
 */
export const tokenizeUpTo = (
  model: LlamaModel,
  text: string,
  contextWindow: number,
): { tokens: Token[]; isWhole: boolean } => {
  const tried = contextWindow * CHARACTERS_PER_TOKEN;
  if (text.length > tried) {
    const tokens = model.tokenize(text.slice(0, tried).toWellFormed(), false);
    if (tokens.length > contextWindow) return { tokens, isWhole: false };
  }
  return { tokens: model.tokenize(text, false), isWhole: true };
};

/** Maximum number of texts processed in parallel. Each needs its own working memory. */
const MAX_CONTEXTS = 16;

interface ContextOptions {
  contextSize: number;
  batchSize: number;
  threads: number;
}

/**
 * Creates one context per thread for an embedding or rerank model, because a context processes one text at a time.
 * node-llama-cpp needs room for one token more than the text has. Throws unavailable if there is not enough memory.
 */
export const createContexts = <Context>(
  contextWindow: number,
  threads: number,
  create: (options: ContextOptions) => Promise<Context>,
): Promise<Context[]> => {
  const size = contextWindow + 1;
  const options = { contextSize: size, batchSize: size, threads: 1 };
  const length = Math.min(threads, MAX_CONTEXTS);
  return Promise.all(Array.from({ length }, () => create(options))).catch((cause) => {
    throw new AppError(
      "unavailable",
      `Not enough memory to read texts of ${contextWindow} tokens. Lower GROUNDWIRE_NODE_CONTEXT_TOKENS.`,
      { cause },
    );
  });
};
