import { Template } from "@huggingface/jinja";
import type { LlamaModel, Token } from "node-llama-cpp";
import type { AppError } from "../../../lib/errors";
import { contextOverflow, invalidField } from "../fields";
import type { ChatTurn } from "../parameters";

/** Tokenizes prompts. Its functions throw context_length_exceeded if the prompt leaves no room for an answer. */
export const createPromptBuilder = (model: LlamaModel, contextWindow: number) => {
  const { chat_template, ggml } = model.fileInfo.metadata.tokenizer;
  const { bos, bosString, eosString, shouldPrependBosToken } = model.tokens;
  const template = chat_template === undefined ? undefined : new Template(chat_template);
  const vocabularySize = ggml.tokens.length;
  const longestTokenBytes = ggml.tokens.reduce((longest, text) => Math.max(longest, Buffer.byteLength(text)), 1);
  const isToken = (id: number): id is Token => id < vocabularySize;
  const withBos = (tokens: Token[]): Token[] =>
    bos === null || !shouldPrependBosToken || tokens[0] === bos ? tokens : [bos, ...tokens];

  /** Rejects a text before it is tokenized if it would be too long even with the longest tokens. */
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
