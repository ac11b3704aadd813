import { Template } from "@huggingface/jinja";
import { LlamaGrammarEvaluationState, type LlamaModel, type Token } from "node-llama-cpp";
import type { Config } from "../../../lib/config";
import { AppError } from "../../../lib/errors";
import type { Log } from "../../../lib/log";
import type { NodeModel } from "../../protocol";
import { chatCapabilities } from "../capabilities";
import { findModel, type NodeEngine } from "../engine";
import { contextOverflow, invalidField } from "../fields";
import { type ChatTurn, readMessages, readParameters } from "../parameters";
import { watchGpu } from "./gpu";
import type { LlamaHost } from "./host";
import { schemaToGrammar } from "./json-grammar/json-grammar";
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
  prompts: ReturnType<typeof createPromptBuilder>;
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
            chat: prompts.hasTemplate,
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
      const prompt =
        parameters.operation === "chat" ? prompts.chat(parameters.messages) : prompts.completion(parameters.prompt);
      const room = card.context_window - prompt.length;
      const grammar = parameters.operation === "chat" ? await createGrammar(runtime, parameters.schema) : undefined;
      // No penalty by default for JSON, which repeats quotes and names, and for completions, which continue a pattern.
      const isProse = parameters.operation === "chat" && !grammar;
      return {
        model: card,
        promptTokens: prompt.length,
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
            signal,
          }),
      };
    },

    async tokenize(name, input) {
      const { prompts, runtime } = need(name);
      return "text" in input
        ? runtime.model.tokenize(input.text.toWellFormed(), true)
        : prompts.chat(readMessages(input.messages));
    },

    async close() {
      await loaded?.scheduler.close();
      loaded = undefined;
    },
  };
};

/** Throws invalid_request if llama.cpp rejects the schema, for example one that refers to itself before any text. */
const createGrammar = async ({ llama }: LlamaRuntime, schema: Record<string, unknown> | undefined) => {
  if (!schema) return undefined;
  const grammar = schemaToGrammar(schema);
  try {
    return await llama.createGrammar({ grammar });
  } catch (cause) {
    throw new AppError("invalid_request", "The response_format schema can't be converted to a grammar. Simplify it.", {
      param: "response_format.json_schema.schema",
      cause,
    });
  }
};

/** Tokenizes prompts. Its functions throw context_length_exceeded if the prompt leaves no room for an answer. */
const createPromptBuilder = (model: LlamaModel, contextWindow: number) => {
  const { chat_template, ggml } = model.fileInfo.metadata.tokenizer;
  const { bos, bosString, eosString, shouldPrependBosToken } = model.tokens;
  const template = chat_template === undefined ? undefined : new Template(chat_template);
  const vocabularySize = ggml.tokens.length;
  const longestTokenBytes = ggml.tokens.reduce((longest, text) => Math.max(longest, Buffer.byteLength(text)), 1);
  const isToken = (id: number): id is Token => id < vocabularySize;
  const withBos = (tokens: Token[]): Token[] =>
    bos === null || !shouldPrependBosToken || tokens[0] === bos ? tokens : [bos, ...tokens];

  /** Rejects a text before tokenizing it if it would be too long even with the longest tokens. */
  const checkTextLength = (chars: number, param: string): void => {
    const least = Math.ceil(chars / longestTokenBytes);
    if (least >= contextWindow) throw tooLong(contextWindow, `at least ${least}`, param);
  };
  const checkLength = (tokens: Token[], param: string): Token[] => {
    if (tokens.length >= contextWindow) throw tooLong(contextWindow, String(tokens.length), param);
    return tokens;
  };
  const render = (chat: Template, messages: ChatTurn[]): string => {
    try {
      const texts = { bos_token: bosString ?? "", eos_token: eosString ?? "" };
      return chat.render({ messages, add_generation_prompt: true, ...texts });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw invalidField("messages", `The model's chat template rejects these messages: ${reason}`);
    }
  };

  return {
    /** Whether the model can chat. */
    hasTemplate: template !== undefined,
    /** Tokens of a chat up to the start of the answer. Throws invalid_request if the template rejects the messages. */
    chat(messages: ChatTurn[]): Token[] {
      if (!template) throw invalidField("messages", "This model has no chat template. Use /v1/completions.");
      const chars = messages.reduce((sum, { content }) => sum + content.length, 0);
      checkTextLength(chars, "messages");
      const plain = hideControlTokens(messages, model);
      const parts = plain.split(render(template, plain.messages));
      return checkLength(withBos(parts.flatMap(({ text, special }) => model.tokenize(text, special))), "messages");
    },
    /** Tokens of a text (control tokens in it are recognised), or of token ids. Throws invalid_request. */
    completion(prompt: string | number[]): Token[] {
      if (typeof prompt === "string") {
        checkTextLength(prompt.length, "prompt");
        return checkLength(withBos(model.tokenize(prompt, true)), "prompt");
      }
      if (prompt.every(isToken)) return checkLength(prompt, "prompt");
      throw invalidField("prompt", `prompt must contain only token ids below ${vocabularySize}.`);
    },
  };
};

/**
 * Text that looks like a control token, such as the end of a turn, must not become one. Otherwise its author could
 * pose as another role. The template renders a placeholder instead, and the content is later tokenized as plain text.
 */
const hideControlTokens = (messages: ChatTurn[], model: LlamaModel) => {
  const contents = new Map<string, string>();
  const hide = (message: ChatTurn): ChatTurn => {
    if (!model.tokenize(message.content, true).some((token) => model.isSpecialToken(token))) return message;
    const placeholder = `\uE000${crypto.randomUUID()}\uE001`;
    contents.set(placeholder, message.content);
    return { ...message, content: placeholder };
  };
  return {
    messages: messages.map(hide),
    split: (text: string) =>
      text
        .split(/(\uE000[0-9a-f-]{36}\uE001)/)
        .map((part) => ({ text: contents.get(part) ?? part, special: !contents.has(part) })),
  };
};

const tooLong = (contextWindow: number, promptTokens: string, param: string): AppError =>
  contextOverflow(
    contextWindow,
    `The prompt has ${promptTokens} tokens and leaves no room for an answer. Shorten it.`,
    param,
  );
