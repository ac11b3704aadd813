import { Template } from "@huggingface/jinja";
import { AppError } from "../../lib/errors";

/** The parts of a tokenizer that a prompt needs. `special` turns the text of a control token into that token. */
export interface PromptTokenizer<Token> {
  tokenize(text: string, special: boolean): Token[];
  isSpecial(token: Token): boolean;
  /** Jinja source from the model file; undefined for a model that is no chat model. */
  chatTemplate?: string;
  bosText: string;
  eosText: string;
  /** Prepended where the model wants it and the text doesn't begin with it already. */
  bos?: Token;
  vocabularySize: number;
  /** Bytes of the longest token: a text of more than `contextWindow` times as many can't fit and isn't tokenized. */
  longestTokenBytes: number;
}

interface Message {
  role: string;
  content: string;
  [field: string]: unknown;
}

/** Everything throws context_length_exceeded when no room is left for an answer of at least one token. */
export interface PromptBuilder<Token> {
  /** Tokens of a chat up to where the assistant speaks. Throws invalid_request naming the message that is wrong. */
  chat(messages: unknown): Token[];
  /** Tokens of a completion's prompt: text, or token ids. Throws invalid_request. */
  completion(prompt: unknown): Token[];
}

export const createPromptBuilder = <Token extends number>(
  tokenizer: PromptTokenizer<Token>,
  contextWindow: number,
): PromptBuilder<Token> => {
  const template = tokenizer.chatTemplate === undefined ? undefined : new Template(tokenizer.chatTemplate);
  const withBos = (tokens: Token[]): Token[] =>
    tokenizer.bos === undefined || tokens[0] === tokenizer.bos ? tokens : [tokenizer.bos, ...tokens];

  const refuseLongText = (chars: number, param: string): void => {
    const least = Math.ceil(chars / tokenizer.longestTokenBytes);
    if (least >= contextWindow) throw tooLong(contextWindow, `at least ${least}`, param);
  };
  const refuseLong = (tokens: Token[], param: string): Token[] => {
    if (tokens.length >= contextWindow) throw tooLong(contextWindow, String(tokens.length), param);
    return tokens;
  };

  return {
    chat(input) {
      if (!template) {
        throw new AppError("invalid_request", "This model has no chat template. Use /v1/completions.", {
          param: "messages",
        });
      }
      const messages = readMessages(input);
      refuseLongText(
        messages.reduce((sum, { content }) => sum + content.length, 0),
        "messages",
      );
      const plain = createPlaceholders(messages, tokenizer);
      const text = render(template, plain.messages, tokenizer);
      const tokens = plain.split(text).flatMap((part) => tokenizer.tokenize(part.text, part.special));
      return refuseLong(withBos(tokens), "messages");
    },
    completion(prompt) {
      const isToken = (id: unknown): id is Token =>
        typeof id === "number" && Number.isInteger(id) && id >= 0 && id < tokenizer.vocabularySize;
      if (Array.isArray(prompt) && prompt.length > 0 && prompt.every(isToken)) return refuseLong(prompt, "prompt");
      if (typeof prompt !== "string" || prompt === "") {
        throw wrong(
          "prompt",
          `prompt must be a text or a list of token ids below ${tokenizer.vocabularySize}, not empty; one prompt a request.`,
        );
      }
      refuseLongText(prompt.length, "prompt");
      return refuseLong(withBos(tokenizer.tokenize(prompt.toWellFormed(), false)), "prompt");
    },
  };
};

const tooLong = (contextWindow: number, promptTokens: string, param: string): AppError =>
  new AppError(
    "context_length_exceeded",
    `This model's maximum context length is ${contextWindow} tokens. The prompt has ${promptTokens} tokens and leaves no ` +
      "room for an answer. Shorten it.",
    { param },
  );

const render = (
  template: Template,
  messages: Message[],
  { bosText, eosText }: { bosText: string; eosText: string },
): string => {
  try {
    return template.render({ messages, add_generation_prompt: true, bos_token: bosText, eos_token: eosText });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError("invalid_request", `The model's chat template refuses these messages: ${reason}`, {
      param: "messages",
      cause: error,
    });
  }
};

/**
 * A message that spells a control token, such as the end of a turn, must not become one, or its writer could speak as
 * another role. Its content takes part in the rendering as a placeholder, and is tokenized as plain text afterwards.
 */
const createPlaceholders = <Token>(messages: Message[], tokenizer: PromptTokenizer<Token>) => {
  const contents = new Map<string, string>();
  const mark = (message: Message): Message => {
    if (!tokenizer.tokenize(message.content, true).some(tokenizer.isSpecial)) return message;
    const placeholder = `\uE000${contents.size}-${crypto.randomUUID()}\uE001`;
    contents.set(placeholder, message.content);
    return { ...message, content: placeholder };
  };
  return {
    messages: messages.map(mark),
    split(text: string): { text: string; special: boolean }[] {
      if (contents.size === 0) return [{ text, special: true }];
      return text
        .split(/(\uE000\d+-[0-9a-f-]+\uE001)/)
        .map((part) => ({ text: contents.get(part) ?? part, special: !contents.has(part) }));
    },
  };
};

const ROLES = new Set(["system", "developer", "user", "assistant"]);

const readMessages = (input: unknown): Message[] => {
  if (!Array.isArray(input) || input.length === 0) throw wrong("messages", "messages must be a list that isn't empty.");
  return input.map((message: unknown, index) => readMessage(message, `messages.${index}`));
};

const readMessage = (message: unknown, path: string): Message => {
  if (!isRecord(message)) throw wrong(path, `${path} must be an object with role and content.`);
  const { role, content, name, refusal, ...others } = message;
  if (typeof role !== "string" || !ROLES.has(role)) {
    throw wrong(`${path}.role`, `${path}.role must be one of ${[...ROLES].join(", ")}: the model calls no tools.`);
  }
  const unsupported = Object.keys(others).find((field) => others[field] !== null && others[field] !== undefined);
  if (unsupported) throw wrong(`${path}.${unsupported}`, `${path}.${unsupported} isn't supported by this model.`);
  return {
    // "developer" is OpenAI's newer word for the same thing; templates know the older one.
    role: role === "developer" ? "system" : role,
    content: readContent(content, role, `${path}.content`).toWellFormed(),
    ...(typeof name === "string" && { name }),
  };
};

const readContent = (content: unknown, role: string, path: string): string => {
  if (typeof content === "string") return content;
  if (role === "assistant" && (content === null || content === undefined)) return "";
  if (!Array.isArray(content)) throw wrong(path, `${path} must be a text or a list of text parts.`);
  return content
    .map((part: unknown, index) => {
      if (isRecord(part) && part.type === "text" && typeof part.text === "string") return part.text;
      throw wrong(`${path}.${index}.type`, `${path}.${index} must be a text part: this model reads text only.`);
    })
    .join("");
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const wrong = (param: string, message: string): AppError => new AppError("invalid_request", message, { param });
