import { setTimeout as sleep } from "node:timers/promises";
import { type LlamaModel, LlamaVocabularyType, type Token } from "node-llama-cpp";
import type { Config } from "../../../lib/config";
import { AppError } from "../../../lib/errors";
import type { Log } from "../../../lib/log";
import { normalise } from "../../../lib/vectors";
import { withPrefixes } from "../../models/catalogue";
import { POOLING } from "../../models/convert-bert";
import type { ModelFile } from "../../models/download";
import type { NodeModel } from "../../protocol";
import { embeddingCapabilities } from "../capabilities";
import { type Embedder, type Embedding, findModel } from "../engine";
import { inputTooLong, invalidField } from "../fields";
import { checkDimensions, type EmbeddingInput, readEmbeddingParameters } from "../parameters";
import type { LlamaHost } from "./host";
import { mapInTurns } from "./map-in-turns";
import { createContexts, loadModel, tokenizeUpTo } from "./runtime";
import { TextScheduler, type TextWorker } from "./text-scheduler";

interface Loaded {
  card: NodeModel & { dimensions: number };
  tokenizer: ReturnType<typeof createTokenizer>;
  scheduler: TextScheduler<Token[], Omit<Embedding, "index">>;
  dispose(): Promise<void>;
}

/**
 * Embeddings by llama.cpp in this process, with the model of `models.embedding`. Each thread computes one input at a
 * time, so a text has the same vector in any batch; docs/decisions/0007 describes the cost.
 */
export const createLlamaEmbedder = (config: Config, host: LlamaHost, log: Log): Embedder => {
  let loaded: Loaded | undefined;

  const need = (model: string | undefined): Loaded => {
    if (!loaded) {
      throw new AppError("model_loading", "The model is being loaded. Try again in a moment.");
    }
    findModel([loaded.card], model);
    return loaded;
  };

  return {
    name: host.name,
    models: () => (loaded ? [loaded.card] : []),

    async load(onProgress) {
      const { llama, file, model, contextWindow } = await loadModel("embedding", config, host, onProgress);
      try {
        checkPooling(model, file);
      } catch (error) {
        await model.dispose();
        throw error;
      }
      const workers = await createWorkers(model, contextWindow, llama.maxThreads);
      const sharesCores = !llama.gpu && config.node.engine === "llama";
      loaded = {
        card: {
          id: file.name,
          kind: "embedding",
          ...withPrefixes(file.revision, config.models, file.prefixes),
          context_window: contextWindow,
          dimensions: model.embeddingVectorSize,
          capabilities: embeddingCapabilities(false),
        },
        tokenizer: createTokenizer(model, contextWindow),
        scheduler: new TextScheduler(workers, sharesCores ? sleep : undefined),
        dispose: () => model.dispose(),
      };
      log.info(
        { model: file.name, revision: loaded.card.revision, contexts: workers.length },
        "embedding model loaded",
      );
      onProgress(1);
    },

    async accept({ body, ...job }) {
      const { model, inputs, dimensions, nameOf } = readEmbeddingParameters(body);
      const { card, tokenizer, scheduler } = need(model);
      checkDimensions(dimensions, card.dimensions);
      const tokens = await mapInTurns(inputs, job.signal, (input, index) => tokenizer.read(input, nameOf(index)));
      return { model: card, inputs: inputs.length, start: () => scheduler.run({ ...job, inputs: tokens }) };
    },

    tokenize: async (model, text) => need(model).tokenizer.tokenize(text),

    async close() {
      await loaded?.scheduler.close();
      await loaded?.dispose();
      loaded = undefined;
    },
  };
};

/** The `pooling_type` of rerankers. */
const RANK = 4;

/**
 * Rejects a model without a `pooling_type`, or with 0 (none): it can't produce one vector per text. Also rejects a
 * model whose pooling differs from the catalogue's, because its vectors would be wrong.
 */
const checkPooling = ({ fileInfo: { metadata } }: LlamaModel, { path, pooling: expected }: ModelFile): void => {
  const { [metadata.general.architecture]: model } = metadata;
  const pooling = model && "pooling_type" in model ? model.pooling_type : undefined;
  if (expected && pooling !== POOLING[expected]) {
    const message = `${path} does not have this model's pooling (${expected}). Delete it, or use a different file for the model.`;
    throw new AppError("invalid_request", message);
  }
  if (pooling && pooling !== RANK) return;
  throw new AppError(
    "invalid_request",
    `${path} is not an embedding model: it does not define how to pool its tokens into one vector. Set GROUNDWIRE_EMBEDDING_MODEL to an embedding model.`,
  );
};

type Worker = TextWorker<Token[], Omit<Embedding, "index">>;

const createWorkers = async (model: LlamaModel, contextWindow: number, threads: number): Promise<Worker[]> => {
  const contexts = await createContexts(contextWindow, threads, (options) => model.createEmbeddingContext(options));
  return contexts.map((context) => async (tokens) => {
    const { vector } = await context.getEmbeddingFor(tokens);
    return { vector: normalise(vector), tokens: tokens.length };
  });
};

/**
 * Reads inputs the way the model does: the tokens of a text (control tokens in it stay plain text) or the given ids,
 * between the first and last token that llama.cpp's own tokenizer would add.
 */
const createTokenizer = (model: LlamaModel, contextWindow: number) => {
  const { tokens, vocabularyType, fileInfo } = model;
  const { bos, eos, sep, shouldPrependBosToken, shouldAppendEosToken } = tokens;
  const isBert = vocabularyType === LlamaVocabularyType.wpm;
  const isUnigram = vocabularyType === LlamaVocabularyType.ugm;
  const first = isBert || (shouldPrependBosToken && !isUnigram) ? bos : null;
  const last = isBert ? sep : isUnigram || shouldAppendEosToken ? eos : null;
  const vocabularySize = fileInfo.metadata.tokenizer.ggml.tokens.length;
  const isToken = (id: number): id is Token => id < vocabularySize;

  const readInner = (input: EmbeddingInput, param: string): Token[] => {
    if (typeof input !== "string") {
      if (input.every(isToken)) return input;
      throw invalidField(param, `${param} must contain only token ids below ${vocabularySize}.`);
    }
    const { tokens, isWhole } = tokenizeUpTo(model, input, contextWindow);
    if (!isWhole) throw inputTooLong(contextWindow, `at least ${tokens.length}`, param);
    return tokens;
  };

  const complete = (inner: Token[]): Token[] => [
    ...(first === null || inner[0] === first ? [] : [first]),
    ...inner,
    ...(last === null || inner.at(-1) === last ? [] : [last]),
  ];

  return {
    tokenize: (text: string): Token[] => complete(model.tokenize(text.toWellFormed(), false)),
    /**
     * `param` names the input in errors. Throws context_length_exceeded, and invalid_request for unknown token ids.
     */
    read(input: EmbeddingInput, param: string): Token[] {
      const whole = complete(readInner(input, param));
      if (whole.length > contextWindow) throw inputTooLong(contextWindow, String(whole.length), param);
      return whole;
    },
  };
};
