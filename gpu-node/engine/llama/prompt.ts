import { Template } from "@huggingface/jinja";
import type { AppError } from "../../../lib/errors";
import { type ChatTurn, contextOverflow, refuse } from "../parameters";

/** The parts of a model that prompts need. `special` turns the text of a control token into that token. */
export interface PromptModel<Token> {
  tokenize(text: string, special: boolean): Token[];
  isSpecial(token: Token): boolean;
  /** Jinja source from the model file; undefined if it is not a chat model. */
  chatTemplate?: string;
  bosText: string;
  eosText: string;
  /** Prepended if the model expects it and the text does not begin with it. */
  bos?: Token;
  vocabularySize: number;
  /** Bytes of the longest token: a text of more than `contextWindow` times as many can't fit and isn't tokenized. */
  longestTokenBytes: number;
  contextWindow: number;
}

/** All methods throw context_length_exceeded if there is no room for an answer of at least one token. */
export interface PromptBuilder<Token> {
  /** Tokens of a chat up to the start of the assistant's answer. Throws invalid_request if the template refuses it. */
  chat(messages: ChatTurn[]): Token[];
  /** Tokens of a completion's prompt: text, in which control tokens may be spelled, or token ids. Throws invalid_request. */
  completion(prompt: string | number[]): Token[];
}

export const createPromptBuilder = <Token extends number>(model: PromptModel<Token>): PromptBuilder<Token> => {
  const template = model.chatTemplate === undefined ? undefined : new Template(model.chatTemplate);
  const withBos = (tokens: Token[]): Token[] =>
    model.bos === undefined || tokens[0] === model.bos ? tokens : [model.bos, ...tokens];

  const refuseLongText = (chars: number, param: string): void => {
    const least = Math.ceil(chars / model.longestTokenBytes);
    if (least >= model.contextWindow) throw tooLong(model.contextWindow, `at least ${least}`, param);
  };
  const refuseLong = (tokens: Token[], param: string): Token[] => {
    if (tokens.length >= model.contextWindow) throw tooLong(model.contextWindow, String(tokens.length), param);
    return tokens;
  };
  const isToken = (id: number): id is Token => id < model.vocabularySize;

  return {
    chat(messages) {
      if (!template) throw refuse("messages", "This model has no chat template. Use /v1/completions.");
      const chars = messages.reduce((sum, { content }) => sum + content.length, 0);
      refuseLongText(chars, "messages");
      const plain = hideControlTokens(messages, model);
      const text = render(template, plain.messages, model);
      const tokens = plain.split(text).flatMap((part) => model.tokenize(part.text, part.special));
      return refuseLong(withBos(tokens), "messages");
    },
    completion(prompt) {
      if (typeof prompt === "string") {
        refuseLongText(prompt.length, "prompt");
        return refuseLong(withBos(model.tokenize(prompt, true)), "prompt");
      }
      if (prompt.every(isToken)) return refuseLong(prompt, "prompt");
      throw refuse("prompt", `prompt must hold token ids below ${model.vocabularySize}.`);
    },
  };
};

const render = (
  template: Template,
  messages: ChatTurn[],
  { bosText, eosText }: { bosText: string; eosText: string },
): string => {
  try {
    return template.render({ messages, add_generation_prompt: true, bos_token: bosText, eos_token: eosText });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refuse("messages", `The model's chat template refuses these messages: ${reason}`);
  }
};

/**
 * Text that looks like a control token, such as the end of a turn, must not become one, or its author could write as
 * another role. A placeholder is rendered in its place, and the content is tokenized as plain text afterwards.
 */
const hideControlTokens = <Token>(messages: ChatTurn[], model: PromptModel<Token>) => {
  const contents = new Map<string, string>();
  const hide = (message: ChatTurn): ChatTurn => {
    if (!model.tokenize(message.content, true).some(model.isSpecial)) return message;
    const placeholder = `\uE000${crypto.randomUUID()}\uE001`;
    contents.set(placeholder, message.content);
    return { ...message, content: placeholder };
  };
  return {
    messages: messages.map(hide),
    split: (text: string): { text: string; special: boolean }[] =>
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
