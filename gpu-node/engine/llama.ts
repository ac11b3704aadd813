import { type LlamaGrammar, LlamaGrammarEvaluationState, type LlamaModel, type Token } from "node-llama-cpp";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { dependencies } from "../../package.json";
import { ensureModel, type ModelFile } from "../models/download";
import type { NodeModel } from "../protocol";
import type { NodeEngine } from "./engine";
import { schemaToGrammar } from "./json-grammar";
import { readParams } from "./llama-params";
import { createPromptBuilder, type PromptBuilder } from "./llama-prompt";
import { type LlamaRuntime, loadRuntime } from "./llama-runtime";
import { LlamaScheduler, type PrefillLimits } from "./llama-scheduler";

/** Share of `load` that goes to fetching and checking the file. */
const FILE_SHARE = 0.7;
/** A CPU core reads 32 tokens of a 135M model in 0.2 s, and whole batches are hardly faster; a GPU wants whole batches. */
const CPU_PREFILL: PrefillLimits = { beside: 32, alone: 64 };
const GPU_PREFILL: PrefillLimits = { beside: 448, alone: 512 };

interface Loaded {
  file: ModelFile;
  runtime: LlamaRuntime;
  scheduler: LlamaScheduler;
  prompts: PromptBuilder<Token>;
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
    name: `llama node-llama-cpp/${dependencies["node-llama-cpp"]}`,
    synthetic: false,
    slots: config.node.slots,
    models: () => (loaded ? [loaded.card] : []),

    async load(onProgress) {
      let done = 0;
      const report = (fraction: number) => {
        done = Math.max(done, fraction); // a file that was downloaded is read once more to be checked
        onProgress(done);
      };
      const file = await ensureModel(config.models.chat, config, ({ bytes, total }) =>
        report((FILE_SHARE * bytes) / total),
      );
      const runtime = await loadRuntime(file.path, config.node, log, (fraction) =>
        report(FILE_SHARE + (1 - FILE_SHARE) * fraction),
      );
      const { model, llama, contextWindow, threads } = runtime;
      loaded = {
        file,
        runtime,
        scheduler: new LlamaScheduler(runtime.context, llama.gpu ? GPU_PREFILL : CPU_PREFILL),
        prompts: createPromptBuilder(promptTokenizer(model), contextWindow),
        card: { id: file.name, kind: "chat", revision: file.revision, context_window: contextWindow },
      };
      log.info({ model: file.name, revision: file.revision, gpu: llama.gpu || "off", threads }, "model loaded");
      report(1);
    },

    async accept({ operation, body, signal }) {
      const { card, file, prompts, runtime, scheduler } = need(body.model);
      const params = readParams(body, operation, file.sampling);
      const prompt = operation === "chat" ? prompts.chat(body.messages) : prompts.completion(body.prompt);
      const room = card.context_window - prompt.length;
      const grammar = params.schema === undefined ? undefined : await createGrammar(runtime, params.schema);
      return {
        model: card,
        promptTokens: prompt.length,
        start: () =>
          scheduler.run({
            prompt,
            maxTokens: Math.min(params.maxTokens ?? room, room),
            sampling: params.sampling,
            stops: params.stops,
            topLogprobs: params.topLogprobs,
            grammar: grammar && new LlamaGrammarEvaluationState({ model: runtime.model, grammar }),
            signal,
          }),
      };
    },

    async tokenize(model, input) {
      const { prompts, runtime } = need(model);
      return "text" in input ? runtime.model.tokenize(input.text.toWellFormed()) : prompts.chat(input.messages);
    },

    async close() {
      await loaded?.scheduler.close();
      await loaded?.runtime.dispose();
      loaded = undefined;
    },
  };
};

/** A schema that llama.cpp refuses, such as one that refers to itself before it has written anything, is a 400. */
const createGrammar = async ({ llama }: LlamaRuntime, schema: unknown): Promise<LlamaGrammar> => {
  const grammar = schemaToGrammar(schema);
  try {
    return await llama.createGrammar({ grammar });
  } catch (cause) {
    throw new AppError("invalid_request", "The schema of response_format can't be made into a grammar. Simplify it.", {
      param: "response_format.json_schema.schema",
      cause,
    });
  }
};

const promptTokenizer = (model: LlamaModel) => {
  const { tokenizer } = model.fileInfo.metadata;
  const { bos, bosString, eosString, shouldPrependBosToken } = model.tokens;
  return {
    tokenize: (text: string, special: boolean) => model.tokenize(text, special),
    isSpecial: (token: Token) => model.isSpecialToken(token),
    chatTemplate: tokenizer.chat_template,
    bosText: bosString ?? "",
    eosText: eosString ?? "",
    bos: shouldPrependBosToken ? (bos ?? undefined) : undefined,
    vocabularySize: tokenizer.ggml.tokens.length,
    longestTokenBytes: tokenizer.ggml.tokens.reduce((longest, text) => Math.max(longest, Buffer.byteLength(text)), 1),
  };
};
