import { setTimeout as sleep } from "node:timers/promises";
import type { LlamaModel, LlamaRankingContext, Token } from "node-llama-cpp";
import type { Config } from "../../../lib/config";
import { AppError } from "../../../lib/errors";
import type { Log } from "../../../lib/log";
import type { NodeModel } from "../../protocol";
import { RERANK_CAPABILITIES } from "../capabilities";
import { findModel, type RankedDocument, type Reranker } from "../engine";
import { contextOverflow } from "../fields";
import { type RerankParameters, readRerankParameters } from "../parameters";
import type { LlamaHost } from "./host";
import { mapInTurns } from "./map-in-turns";
import { createContexts, loadModel, tokenizeUpTo } from "./runtime";
import { TextScheduler } from "./text-scheduler";

/** A query and a document, without the control tokens around them. */
interface Pair {
  query: Token[];
  document: Token[];
  /** Number of tokens that the model reads. */
  tokens: number;
}

interface Loaded {
  card: NodeModel;
  model: LlamaModel;
  pairs: ReturnType<typeof createPairReader>;
  scheduler: TextScheduler<Pair, Omit<RankedDocument, "index">>;
}

/**
 * A reranker that runs the model in `models.rerank` with llama.cpp in this process. Each thread ranks one document at a
 * time.
 */
export const createLlamaReranker = (config: Config, host: LlamaHost, log: Log): Reranker => {
  let loaded: Loaded | undefined;

  const need = (model: string | undefined): Loaded => {
    if (!loaded) throw new AppError("model_loading", "The model is being loaded. Try again in a moment.");
    findModel([loaded.card], model);
    return loaded;
  };

  return {
    name: host.name,
    models: () => (loaded ? [loaded.card] : []),

    async load(onProgress) {
      const { llama, file, model, contextWindow } = await loadModel("rerank", config, host, onProgress);
      if (!model.fileInsights.supportsRanking) {
        await model.dispose();
        throw new AppError(
          "invalid_request",
          `${file.path} is not a reranker: it has no classifier. Set GROUNDWIRE_RERANK_MODEL to the .gguf file of a reranker.`,
        );
      }
      const contexts = await createContexts(contextWindow, llama.maxThreads, (options) =>
        model.createRankingContext(options),
      );
      const [first] = contexts;
      if (!first) throw new Error("llama.cpp has no threads.");
      const sharesCores = !llama.gpu && config.node.engine === "llama";
      loaded = {
        card: {
          ...{ id: file.name, kind: "rerank", revision: file.revision, context_window: contextWindow },
          capabilities: RERANK_CAPABILITIES,
        },
        model,
        pairs: createPairReader(model, first, contextWindow),
        scheduler: new TextScheduler(
          contexts.map((context) => async ({ query, document, tokens }) => ({
            score: await context.rank(query, document),
            tokens,
          })),
          sharesCores ? sleep : undefined,
        ),
      };
      log.info({ model: file.name, revision: file.revision, contexts: contexts.length }, "rerank model loaded");
      onProgress(1);
    },

    async accept({ body, ...job }) {
      const request = readRerankParameters(body);
      const { card, pairs, scheduler } = need(request.model);
      const inputs = await pairs.read(request, job.signal);
      return { model: card, documents: inputs.length, start: () => scheduler.run({ ...job, inputs }) };
    },

    tokenize: async (name, text) => need(name).model.tokenize(text.toWellFormed(), false),

    async close() {
      await loaded?.scheduler.close();
      await loaded?.model.dispose();
      loaded = undefined;
    },
  };
};

/** Tokenizes pairs in the form that the model was trained on. Control tokens in the texts stay plain text. */
const createPairReader = (model: LlamaModel, context: LlamaRankingContext, contextWindow: number) => {
  const { eos, sep } = model.tokens;
  // BERT ends both texts with [SEP]. node-llama-cpp 3.22.1 only ends the second one if the model has an end token.
  const last = eos === null && sep !== null ? [sep] : [];

  /** Shortens a document that is too long if `truncate` is set. Otherwise throws context_length_exceeded. */
  const readDocument = (query: Token[], text: string, param: string, truncate: boolean): Pair => {
    const inner = tokenizeUpTo(model, text, contextWindow).tokens;
    const pairOf = (part: Token[]): Pair => {
      const document = [...part, ...last];
      return { query, document, tokens: context.calculateInputLength(query, document) };
    };
    const pair = pairOf(inner);
    const excess = pair.tokens - contextWindow;
    if (excess <= 0) return pair;
    if (truncate) return pairOf(inner.slice(0, -excess));
    const message = `Together, ${param} and the query are longer. Shorten the document, or set truncate.`;
    throw contextOverflow(contextWindow, message, param);
  };

  return {
    /**
     * Throws context_length_exceeded for a query that leaves no room for a document and, without `truncate`, for a
     * document that is too long.
     */
    async read({ query, documents, truncate }: RerankParameters, signal: AbortSignal): Promise<Pair[]> {
      const { tokens } = tokenizeUpTo(model, query, contextWindow);
      if (context.calculateInputLength(tokens, last) >= contextWindow) {
        throw contextOverflow(contextWindow, "The query leaves no room for a document. Shorten it.", "query");
      }
      return mapInTurns(documents, signal, (text, index) => readDocument(tokens, text, `documents.${index}`, truncate));
    },
  };
};
