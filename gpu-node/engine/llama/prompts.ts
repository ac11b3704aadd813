import type { LlamaModel, Token } from "node-llama-cpp";
import type { AppError } from "../../../lib/errors";
import { contextOverflow, type Fields, invalidField } from "../fields";
import type { ChatTurn } from "../messages";
import type { ToolFunction, ToolUse } from "../tools";
import { ReasoningSplitter, startsReasoning } from "./reasoning";
import { TAGGED } from "./tools/call-format";
import { callGrammar } from "./tools/call-grammar";
import { CallParser } from "./tools/call-parser";
import { type ChatTemplate, createChatTemplate, type TemplateInput } from "./tools/chat-template";

export type PromptBuilder = ReturnType<typeof createPromptBuilder>;

/** Builds prompts as tokens. Its functions throw context_length_exceeded if the prompt leaves no room for an answer. */
export const createPromptBuilder = (model: LlamaModel, contextWindow: number) => {
  const { ggml } = model.fileInfo.metadata.tokenizer;
  const { bos, shouldPrependBosToken } = model.tokens;
  const template = templateOf(model);
  const vocabularySize = ggml.tokens.length;
  const longestTokenBytes = ggml.tokens.reduce((longest, text) => Math.max(longest, Buffer.byteLength(text)), 1);
  const isToken = (id: number): id is Token => id >= 0 && id < vocabularySize;
  const withBos = (tokens: Token[]): Token[] =>
    bos === null || !shouldPrependBosToken || tokens[0] === bos ? tokens : [bos, ...tokens];

  /** Rejects a text without tokenizing it if it would be too long even with the longest tokens. */
  const checkTextLength = (chars: number, param: string): void => {
    const least = Math.ceil(chars / longestTokenBytes);
    if (least >= contextWindow) throw tooLong(contextWindow, `at least ${least}`, param);
  };
  const checkLength = (tokens: Token[], param: string): Token[] => {
    if (tokens.length >= contextWindow) throw tooLong(contextWindow, String(tokens.length), param);
    return tokens;
  };

  const { callFormat = TAGGED, isParallel = false } = template ?? {};
  const markers = new Set([callFormat.open, callFormat.close].map((text) => ggml.tokens.indexOf(text)).filter(isToken));

  return {
    /** The model's chat template; undefined if it can't chat. */
    template,
    /** The grammar and the parser of an answer that may call functions. */
    callsOf(use: ToolUse) {
      const own = { ...use, isParallel: use.isParallel && isParallel };
      const names = new Set(use.tools.map(({ name }) => name));
      const rules = { maxCalls: own.isParallel ? undefined : 1, isRequired: use.required !== undefined };
      return {
        /** See `callGrammar`. */
        grammar: (schema: Fields | undefined) => callGrammar(callFormat, own, schema),
        /** The parser for the calls in one answer. */
        reader: () => ({ parser: new CallParser(callFormat, names, rules), markers }),
      };
    },
    /** The splitter that separates reasoning from the answer to a prompt; undefined if the model doesn't reason. */
    reasoningOf: (prompt: Token[]): ReasoningSplitter | undefined =>
      template?.reasons ? new ReasoningSplitter(startsReasoning(model.detokenize(prompt.slice(-8), true))) : undefined,
    /** Tokens of a chat up to the start of the answer. Throws invalid_request if the template rejects the messages. */
    chat({
      messages,
      tools,
      reasons = true,
    }: {
      messages: ChatTurn[];
      tools?: ToolFunction[];
      reasons?: boolean;
    }): Token[] {
      if (!template) throw invalidField("messages", "This model has no chat template. Use /v1/completions.");
      checkTextLength(lengthOf(messages) + jsonLength(tools), "messages");
      const parts = render(template, { messages, tools, reasons }, model);
      return checkLength(withBos(parts.flatMap(({ text, special }) => model.tokenize(text, special))), "messages");
    },
    /** Tokens of a text, in which control tokens are recognised, or of a list of token ids. Throws invalid_request. */
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

const templateOf = ({ fileInfo, tokens: { bosString, eosString } }: LlamaModel): ChatTemplate | undefined => {
  const { chat_template: source, ...others } = fileInfo.metadata.tokenizer;
  if (source === undefined) return undefined;
  // Converters of Hugging Face models store named templates under separate metadata keys.
  const forTools = (others as Record<string, unknown>)["chat_template.tool_use"];
  const texts = { bos_token: bosString ?? "", eos_token: eosString ?? "" };
  return createChatTemplate(source, typeof forTools === "string" ? forTools : undefined, texts);
};

/** A part of a prompt. Control tokens are recognised only in `special` parts. */
interface PromptPart {
  text: string;
  special: boolean;
}

const render = (
  template: ChatTemplate,
  { messages, tools, reasons }: { messages: ChatTurn[]; tools?: ToolFunction[]; reasons: boolean },
  model: LlamaModel,
): PromptPart[] => {
  try {
    const hidden = new HiddenTexts(model);
    const input = hidden.hideIn(template.inputOf(messages, tools), template.readsObjects);
    return hidden.split(template.render({ ...input, enable_thinking: reasons }).toWellFormed());
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidField("messages", `The model's chat template rejects these messages: ${reason}`);
  }
};

/**
 * Keeps text that looks like a control token, such as the end of a turn, from becoming one. Otherwise its author could
 * pose as another role. The template renders a placeholder, and the text is later tokenized as plain text.
 */
class HiddenTexts {
  readonly #texts = new Map<string, string>();

  constructor(readonly model: LlamaModel) {}

  /**
   * `readsObjects`: the template itself writes the arguments of calls as JSON, as every template does with functions.
   */
  hideIn({ messages, tools }: TemplateInput, readsObjects: boolean): TemplateInput {
    return {
      messages: messages.map(({ tool_calls, ...message }) => ({
        ...message,
        content: this.#hide(message.content),
        ...(message.reasoning_content && { reasoning_content: this.#hide(message.reasoning_content) }),
        ...(tool_calls && { tool_calls: this.#hideAll(tool_calls, readsObjects) }),
      })),
      ...(tools && { tools: this.#hideAll(tools, true) }),
    };
  }

  /** The rendered prompt, with the texts that were hidden. */
  split(prompt: string): PromptPart[] {
    return prompt
      .split(/(\uE000[0-9a-f-]{36}\uE001)/)
      .map((part) => ({ text: this.#texts.get(part) ?? part, special: !this.#texts.has(part) }));
  }

  #hide(text: string, written = text): string {
    if (!this.#hasControlToken(text)) return text;
    const placeholder = `\uE000${crypto.randomUUID()}\uE001`;
    this.#texts.set(placeholder, written);
    return placeholder;
  }

  /** Hides each text inside a value if it contains a control token. */
  #hideAll<T>(value: T, isJson: boolean): T {
    if (!this.#hasControlToken(JSON.stringify(value))) return value;
    const hide = (text: string) => this.#hide(text, isJson ? JSON.stringify(text).slice(1, -1) : text);
    const visit = (inner: unknown): unknown => {
      if (typeof inner === "string") return hide(inner);
      if (Array.isArray(inner)) return inner.map(visit);
      if (typeof inner !== "object" || inner === null) return inner;
      return Object.fromEntries(Object.entries(inner).map(([name, member]) => [hide(name), visit(member)]));
    };
    return visit(value) as T;
  }

  #hasControlToken(text: string): boolean {
    return this.model.tokenize(text.toWellFormed(), true).some((token) => this.model.isSpecialToken(token));
  }
}

const lengthOf = (messages: ChatTurn[]): number =>
  messages.reduce((sum, { content, calls = [] }) => {
    return calls.reduce((length, call) => length + call.arguments.length, sum + content.length);
  }, 0);

const jsonLength = (tools: ToolFunction[] = []): number => {
  try {
    return JSON.stringify(tools).length;
  } catch {
    throw invalidField("tools", "tools is nested too deeply. Flatten it.");
  }
};

const tooLong = (contextWindow: number, promptTokens: string, param: string): AppError =>
  contextOverflow(
    contextWindow,
    `The prompt has ${promptTokens} tokens and leaves no room for an answer. Shorten it.`,
    param,
  );
