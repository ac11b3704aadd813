import { LlamaGrammarEvaluationState, type LlamaModel, type Token } from "node-llama-cpp";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { ensureModel, type ModelFile } from "../models/download";
import type { NodeModel } from "../protocol";
import type { NodeEngine } from "./engine";
import { schemaToGrammar } from "./json-grammar";
import { readParams } from "./llama-params";
import { createPromptBuilder, type PromptBuilder } from "./llama-prompt";
import { type LlamaRuntime, loadRuntime } from "./llama-runtime";
import { LlamaScheduler } from "./llama-scheduler";

const VERSION = "3.22.1";
/** Share of `load` that goes to fetching and checking the file. */
const FILE_SHARE = 0.7;
/** Prompt tokens per step while others generate: on a CPU they would wait for longer ones. */
const CPU_PREFILL_TOKENS = 64;
const GPU_PREFILL_TOKENS = 448;

interface Loaded {
  file: ModelFile;
  runtime: LlamaRuntime;
  scheduler: LlamaScheduler;
  prompts: PromptBuilder<Token>;
  vocabularySize: number;
  card: NodeModel;
}

/** llama.cpp inside this process, on the model of `models.chat`. Construction does nothing; `load` does. */
export const createLlamaEngine = (config: Config, log: Log): NodeEngine => {
  let loaded: Loaded | undefined;

  const need = (model?: unknown): Loaded => {
    if (!loaded) throw new AppError("model_loading", "The model is being loaded. Try again in a moment.");
    if (model !== undefined && model !== null && model !== loaded.card.id) {
      throw new AppError("model_not_found", `This node has no model "${model}"; it has ${loaded.card.id}.`, {
        param: "model",
      });
    }
    return loaded;
  };

  return {
    name: `llama node-llama-cpp/${VERSION}`,
    synthetic: false,
    slots: config.node.slots,
    models: () => (loaded ? [loaded.card] : []),

    async load(onProgress) {
      const file = await ensureModel(config.models.chat, config, ({ bytes, total }) =>
        onProgress((FILE_SHARE * bytes) / total),
      );
      const runtime = await loadRuntime(file.path, config.node, log, (fraction) =>
        onProgress(FILE_SHARE + (1 - FILE_SHARE) * fraction),
      );
      const { model, llama, contextWindow, threads } = runtime;
      loaded = {
        file,
        runtime,
        scheduler: new LlamaScheduler(runtime.context, llama.gpu ? GPU_PREFILL_TOKENS : CPU_PREFILL_TOKENS),
        prompts: createPromptBuilder(promptTokenizer(model)),
        vocabularySize: model.fileInfo.metadata.tokenizer.ggml.tokens.length,
        card: { id: file.name, kind: "chat", revision: file.revision, context_window: contextWindow },
      };
      log.info({ model: file.name, revision: file.revision, gpu: llama.gpu || "off", threads }, "model loaded");
      onProgress(1);
    },

    async accept({ operation, body, signal }) {
      const { card, file, prompts, vocabularySize, runtime, scheduler } = need(body.model);
      const params = readParams(body, operation, file.sampling);
      const isChat = operation === "chat";
      const prompt = isChat ? prompts.chat(body.messages) : prompts.completion(body.prompt, vocabularySize);
      const param = isChat ? "messages" : "prompt";
      const maxTokens = answerTokens(prompt.length, params.maxTokens, card.context_window, param);
      const grammar =
        params.schema === undefined
          ? undefined
          : await runtime.llama.createGrammar({ grammar: schemaToGrammar(params.schema) });
      return {
        model: card,
        promptTokens: prompt.length,
        start: () =>
          scheduler.run({
            prompt,
            maxTokens,
            sampling: params.sampling,
            stops: params.stops,
            topLogprobs: params.topLogprobs,
            grammar: grammar && new LlamaGrammarEvaluationState({ model: runtime.model, grammar }),
            signal,
          }),
      };
    },

    async tokenize(model, input) {
      const { prompts, vocabularySize } = need(model);
      return "text" in input ? prompts.completion(input.text, vocabularySize) : prompts.chat(input.messages);
    },

    async close() {
      await loaded?.scheduler.close();
      await loaded?.runtime.dispose();
      loaded = undefined;
    },
  };
};

/** Tokens that the answer may have: never more than the context has left. Throws context_length_exceeded. */
const answerTokens = (promptTokens: number, maxTokens: number | undefined, contextWindow: number, param: string) => {
  const room = contextWindow - promptTokens;
  if (room > 0) return Math.min(maxTokens ?? room, room);
  throw new AppError(
    "context_length_exceeded",
    `This model's maximum context length is ${contextWindow} tokens. The prompt has ${promptTokens} tokens and leaves no ` +
      "room for an answer. Shorten it.",
    { param },
  );
};

const promptTokenizer = (model: LlamaModel) => ({
  tokenize: (text: string, special: boolean) => model.tokenize(text, special),
  isSpecial: (token: Token) => model.isSpecialToken(token),
  chatTemplate: model.fileInfo.metadata.tokenizer.chat_template,
  bosText: model.tokens.bosString ?? "",
  eosText: model.tokens.eosString ?? "",
  bos: model.tokens.shouldPrependBosToken ? (model.tokens.bos ?? undefined) : undefined,
});
