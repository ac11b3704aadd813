import { LlamaGrammarEvaluationState } from "node-llama-cpp";
import type { Config } from "../../../lib/config";
import { AppError } from "../../../lib/errors";
import type { Log } from "../../../lib/log";
import type { NodeModel } from "../../protocol";
import { chatCapabilities } from "../capabilities";
import { findModel, type NodeEngine } from "../engine";
import { invalidField } from "../fields";
import { readChatPrompt, readParameters } from "../parameters";
import { watchGpu } from "./gpu";
import type { LlamaHost } from "./host";
import { RESPONSE_SCHEMA, schemaToGrammar } from "./json-grammar/json-grammar";
import { createPromptBuilder, type PromptBuilder } from "./prompts";
import { type LlamaRuntime, loadRuntime } from "./runtime";
import { samplingOf } from "./sampling";
import { LlamaScheduler, type PrefillLimits } from "./scheduler";

/** A CPU core prefills 32 tokens of a 135M model in 0.2 s; full batches are hardly faster. A GPU needs full batches. */
const CPU_PREFILL: PrefillLimits = { whileGenerating: 32, whileIdle: 64 };
const GPU_PREFILL: PrefillLimits = { whileGenerating: 448, whileIdle: 512 };

interface Loaded {
  runtime: LlamaRuntime;
  gpu: ReturnType<typeof watchGpu>;
  scheduler: LlamaScheduler;
  prompts: PromptBuilder;
  card: NodeModel;
}

/** An engine that runs llama.cpp in this process, with the model of `models.chat`. */
export const createLlamaEngine = (config: Config, host: LlamaHost, log: Log): NodeEngine => {
  let loaded: Loaded | undefined;

  const need = (model: string | undefined): Loaded => {
    if (!loaded) throw new AppError("model_loading", "The model is being loaded. Try again in a moment.");
    findModel([loaded.card], model);
    return loaded;
  };

  return {
    name: host.name,
    synthetic: false,
    slots: config.node.slots,
    models: () => (loaded ? [loaded.card] : []),
    failure: () => loaded?.scheduler.failure,
    gpu: () => loaded?.gpu(),

    async load(onProgress) {
      const runtime = await loadRuntime(config, host, onProgress);
      const { llama, file, contextWindow } = runtime;
      const { temperature, top_p, top_k, repetition_penalty } = samplingOf({}, file.sampling);
      const prompts = createPromptBuilder(runtime.model, contextWindow);
      loaded = {
        runtime,
        gpu: llama.gpu ? watchGpu(llama) : () => undefined,
        scheduler: new LlamaScheduler(runtime.context, llama.gpu ? GPU_PREFILL : CPU_PREFILL),
        prompts,
        card: {
          id: file.name,
          kind: "chat",
          revision: file.revision,
          context_window: contextWindow,
          sampling: { temperature, top_p, top_k, repetition_penalty },
          capabilities: chatCapabilities(contextWindow, {
            chat: prompts.template !== undefined,
            tools: prompts.template !== undefined,
            reasoning: prompts.template?.reasons === true,
            json_schema: true,
            logprobs: true,
          }),
        },
      };
      const { gpu, maxThreads: threads } = llama;
      log.info({ model: file.name, revision: file.revision, gpu: gpu || "off", threads }, "model loaded");
      onProgress(1);
    },

    async accept({ operation, body, priority, signal }) {
      const parameters = readParameters(operation, body);
      const { card, prompts, runtime, scheduler } = need(parameters.model);
      const recommended = runtime.file.sampling;
      const chat = parameters.operation === "chat" ? parameters : undefined;
      if (chat?.reasons && !card.capabilities?.reasoning)
        throw invalidField("reasoning_effort", "reasoning_effort is not supported by this model. Leave it out.");
      // A grammar applies to the whole answer, so an answer with a grammar can't start with reasoning.
      const reasons = chat?.reasons !== false && !chat?.schema && !chat?.toolUse?.required;
      const prompt =
        parameters.operation === "chat"
          ? prompts.chat({ messages: parameters.messages, tools: parameters.toolUse?.tools, reasons })
          : prompts.completion(parameters.prompt);
      const room = card.context_window - prompt.length;
      const tools = chat?.toolUse && prompts.callsOf(chat.toolUse);
      const schema = chat?.schema;
      const grammar = tools
        ? await createGrammar(runtime, tools.grammar(schema), "tools")
        : await createGrammar(runtime, schema && schemaToGrammar(schema), RESPONSE_SCHEMA);
      // No penalty by default for JSON, which repeats quotes and names, and for completions, which continue a pattern.
      const isProse = chat && !schema && !tools;
      return {
        model: card,
        promptTokens: prompt.length,
        mustCall: chat?.toolUse?.required !== undefined,
        start: () =>
          scheduler.run({
            ...{ prompt, priority },
            maxTokens: Math.min(parameters.maxTokens ?? room, room),
            sampling: samplingOf(
              parameters.sampling,
              isProse ? recommended : { ...recommended, repetition_penalty: 1 },
            ),
            stops: parameters.stops,
            topLogprobs: parameters.topLogprobs,
            grammar: grammar && new LlamaGrammarEvaluationState({ model: runtime.model, grammar }),
            reasoning: chat && prompts.reasoningOf(prompt),
            calls: tools?.reader(),
            signal,
          }),
      };
    },

    async tokenize(name, input) {
      const { prompts, runtime } = need(name);
      return "text" in input
        ? runtime.model.tokenize(input.text.toWellFormed(), true)
        : prompts.chat(readChatPrompt(input));
    },

    async close() {
      await loaded?.scheduler.close();
      loaded = undefined;
    },
  };
};

/**
 * Throws invalid_request, naming `param`, if llama.cpp rejects the grammar, for example because a schema refers to
 * itself before any text.
 */
const createGrammar = async ({ llama }: LlamaRuntime, grammar: string | undefined, param: string) => {
  if (grammar === undefined) return undefined;
  try {
    return await llama.createGrammar({ grammar });
  } catch (cause) {
    throw new AppError("invalid_request", `${param} can't be converted to a grammar. Simplify its schema.`, {
      param,
      cause,
    });
  }
};
