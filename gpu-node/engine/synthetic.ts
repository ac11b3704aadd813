import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../../lib/config";
import { AppError, ERROR_KINDS, type ErrorKind } from "../../lib/errors";
import { normalise } from "../../lib/vectors";
import { withPrefixes } from "../models/catalogue";
import type { NodeModel } from "../protocol";
import { chatCapabilities, embeddingCapabilities } from "./capabilities";
import { type Embedder, type Embedding, type EngineEvent, findModel, type NodeEngine } from "./engine";
import { contextOverflow, inputTooLong, invalidField } from "./fields";
import { firstMatch } from "./llama/text";
import type { ChatTurn } from "./messages";
import {
  checkDimensions,
  type EmbeddingInput,
  type Parameters,
  readChatPrompt,
  readEmbeddingParameters,
  readParameters,
} from "./parameters";

/**
 * Faults that a prompt can request from the synthetic engine and embedder, immediately or after some tokens:
 *
 * | text                     | what happens                                                             |
 * |--------------------------|--------------------------------------------------------------------------|
 * | `!error overloaded [after 2]` | an error with this code of `lib/errors`; a status such as 503 also works |
 * | `!crash [after 2]`       | an unexpected error is thrown, which becomes `internal`                  |
 * | `!hang [after 2]`        | no more output until the request is cancelled                            |
 * | `!break [after 2]`       | the engine fails permanently: no output until the node is restarted      |
 * | `!garbage [after 2]`     | a frame with truncated JSON, then the answer continues                   |
 * | `!truncate [after 2]`    | the answer ends without its final event                                  |
 */
type Fault = {
  what: "error" | "crash" | "hang" | "break" | "garbage" | "truncate";
  kind: ErrorKind;
  after: number;
};

const FAULT = /^!(error|crash|hang|break|garbage|truncate)(?: ([a-z_]+|\d{3}))??(?: after (\d+))?$/;

const readFault = (text: string): Fault | undefined => {
  const match = FAULT.exec(text.trim());
  if (!match) return undefined;
  return { what: match[1] as Fault["what"], kind: kindOf(match[2] ?? "internal"), after: Number(match[3] ?? 0) };
};

/** The error code with this name, or a node's code for this status. */
const kindOf = (nameOrStatus: string): ErrorKind => {
  if (nameOrStatus === "429") return "overloaded";
  const kinds = Object.keys(ERROR_KINDS) as ErrorKind[];
  return kinds.find((kind) => kind === nameOrStatus || `${ERROR_KINDS[kind].status}` === nameOrStatus) ?? "internal";
};

/** Throws for `error` and `crash`; any other fault waits until the signal is aborted. */
const failAs = async ({ what, kind }: Fault, signal: AbortSignal): Promise<never> => {
  if (what === "error") throw new AppError(kind, "This failure was requested.", { retryAfterMs: 1000 });
  if (what === "crash") throw new Error("This crash was requested.");
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
};

const WORDS =
  "the quick signal runs along a grounded wire and carries every word from one node to another without losing its place".split(
    " ",
  );

const hash = (text: string): number => Bun.hash.xxHash32(text);
const splitTokens = (text: string): string[] => text.match(/\s*\S+|\s+$/g) ?? [];

/** The complete answer: at most `limit` of the `length` configured tokens, cut at a stop string. */
const compose = (prompt: string, parameters: Parameters, length: number, limit: number) => {
  const start = hash(`${parameters.sampling.seed ?? 0} ${prompt}`);
  const word = (index: number) => WORDS[(start + index * 4) % WORDS.length] ?? "";
  const tokens = Array.from({ length: limit }, (_, index) => (index === 0 ? word(0) : ` ${word(index)}`));
  const text = tokens.join("");
  const cut = firstMatch(text, parameters.stops);
  if (cut >= 0) return { tokens: splitTokens(text.slice(0, cut)), finishReason: "stop" as const };
  return { tokens, finishReason: limit < length ? ("length" as const) : ("stop" as const) };
};

const promptText = (parameters: Parameters): string => {
  if (parameters.operation === "chat") return chatText(parameters.messages);
  return typeof parameters.prompt === "string" ? parameters.prompt : parameters.prompt.join(" ");
};
const chatText = (messages: ChatTurn[]): string => messages.map(({ content }) => content).join("\n");

/** Number of tokens sent before yielding to the event loop, for answers without delays. */
const TOKENS_PER_TURN = 64;

/**
 * An engine without a model, for benchmarks and fault tests; it is used only if it is configured by name. A token is a
 * word with the space before it. The same request and seed give the same words. The last user message (or the prompt)
 * can request a fault, see `Fault`.
 */
export const createSyntheticEngine = (config: Config): NodeEngine => {
  const { firstTokenMs, tokenMs, tokens: answerTokens } = config.synthetic;
  const model: NodeModel = {
    id: config.models.chat,
    kind: "chat",
    revision: "synthetic",
    context_window: config.node.contextTokens,
    capabilities: chatCapabilities(Math.min(answerTokens, config.node.contextTokens), { logprobs: true }),
  };

  let failure: AppError | undefined;

  async function* answer(
    parameters: Parameters,
    promptTokens: number,
    signal: AbortSignal,
  ): AsyncGenerator<EngineEvent> {
    const prompt = promptText(parameters);
    const lastText = parameters.operation === "chat" ? (parameters.messages.at(-1)?.content ?? "") : prompt;
    const fault = readFault(lastText);
    const room = model.context_window - promptTokens;
    const limit = Math.min(answerTokens, parameters.maxTokens ?? answerTokens, room);
    const { tokens, finishReason } = compose(prompt, parameters, answerTokens, limit);
    for (let index = 0; index <= tokens.length; index++) {
      signal.throwIfAborted();
      if (fault?.after === index) {
        if (fault.what === "truncate") return;
        if (fault.what === "break") failure = broken();
        else yield* provoke(fault, signal);
      }
      if (failure) throw failure;
      const text = tokens[index];
      if (text === undefined) break;
      const delayMs = index === 0 ? firstTokenMs : tokenMs;
      if (delayMs > 0) await sleep(delayMs, undefined, { signal });
      else if (index % TOKENS_PER_TURN === 1) await nextTurn();
      const logprobs = parameters.topLogprobs === undefined ? undefined : [certain(text)];
      yield { type: "delta", text, tokens: 1, logprobs };
    }
    const usage = { promptTokens, completionTokens: tokens.length, cachedTokens: 0 };
    yield { type: "end", finishReason, usage };
  }

  return {
    name: "synthetic",
    synthetic: true,
    slots: config.node.slots,
    load: async (onProgress) => onProgress(1),
    models: () => [model],
    failure: () => failure,
    accept: async ({ operation, body, signal }) => {
      const parameters = readParameters(operation, body);
      findModel([model], parameters.model);
      if (parameters.operation === "chat" && parameters.schema)
        throw invalidField(
          "response_format",
          "response_format must be text: the synthetic engine has no other formats.",
        );
      if (parameters.operation === "chat" && parameters.reasons)
        throw invalidField(
          "reasoning_effort",
          "reasoning_effort is not supported by the synthetic engine. Leave it out.",
        );
      if (parameters.operation === "chat" && parameters.toolUse)
        throw invalidField("tools", "tools is not supported by the synthetic engine. Leave it out.");
      const promptTokens = splitTokens(promptText(parameters)).length;
      if (promptTokens >= model.context_window) {
        const param = operation === "chat" ? "messages" : "prompt";
        throw contextOverflow(model.context_window, `The prompt has ${promptTokens} tokens. Shorten it.`, param);
      }
      return { model, promptTokens, start: () => answer(parameters, promptTokens, signal) };
    },
    tokenize: async (name, input) => {
      findModel([model], name);
      const text = "text" in input ? input.text : chatText(readChatPrompt(input).messages);
      return splitTokens(text).map(hash);
    },
    close: async () => {},
  };
};

const broken = () => new AppError("unavailable", "The engine failed permanently, as requested. Restart the GPU node.");

/** A token with probability 1. */
const certain = (token: string) => ({ token, logprob: 0, bytes: [...Buffer.from(token)], top: [] });

async function* provoke(fault: Fault, signal: AbortSignal): AsyncGenerator<EngineEvent> {
  if (fault.what === "garbage") yield { type: "raw", data: '{"choices":[{"index":0,"delta":{"con' };
  else await failAs(fault, signal);
}

const DIMENSIONS = 64;

/** A token is a word, ignoring case; its id is a hash of the word. */
const tokensOf = (input: EmbeddingInput): number[] =>
  typeof input === "string" ? (input.toLowerCase().match(/\S+/g) ?? []).map((word) => Bun.hash.xxHash32(word)) : input;

/** A token's hash decides its dimension and its sign, so texts that share words are close. */
const vectorOf = (tokens: readonly number[]): Float32Array => {
  const counts = new Float32Array(DIMENSIONS);
  for (const id of tokens) {
    const place = id % DIMENSIONS;
    counts[place] = (counts[place] ?? 0) + ((id >>> 16) % 2 === 0 ? 1 : -1);
  }
  if (counts.every((count) => count === 0)) counts[0] = 1;
  return normalise(counts);
};

/**
 * An embedder without a model, for tests and benchmarks: the same text gives the same vector. A text can request a
 * fault, see `Fault`.
 */
export const createSyntheticEmbedder = ({ models, node }: Config): Embedder => {
  const model: NodeModel = {
    id: models.embedding,
    kind: "embedding",
    ...withPrefixes("synthetic", models),
    context_window: node.contextTokens,
    dimensions: DIMENSIONS,
    capabilities: embeddingCapabilities(false),
  };

  async function* embed(inputs: EmbeddingInput[], tokens: number[][], signal: AbortSignal): AsyncGenerator<Embedding> {
    for (const [index, ids] of tokens.entries()) {
      await nextTurn();
      signal.throwIfAborted();
      const input = inputs[index];
      const fault = typeof input === "string" ? readFault(input) : undefined;
      if (fault?.what === "truncate") return;
      if (fault) await failAs(fault, signal);
      yield { index, vector: vectorOf(ids), tokens: ids.length };
    }
  }

  return {
    name: "synthetic",
    load: async (onProgress) => onProgress(1),
    models: () => [model],
    accept: async ({ body, signal }) => {
      const { model: name, inputs, dimensions, nameOf } = readEmbeddingParameters(body);
      findModel([model], name);
      checkDimensions(dimensions, DIMENSIONS);
      const tokens = inputs.map(tokensOf);
      const long = tokens.findIndex((ids) => ids.length > model.context_window);
      if (long >= 0) throw inputTooLong(model.context_window, `${tokens[long]?.length}`, nameOf(long));
      return { model, inputs: inputs.length, start: () => embed(inputs, tokens, signal) };
    },
    tokenize: async (name, text) => {
      findModel([model], name);
      return tokensOf(text);
    },
    close: async () => {},
  };
};
