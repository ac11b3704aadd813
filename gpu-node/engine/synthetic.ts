import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { NodeModel } from "../protocol";
import { type EngineEvent, findModel, type NodeEngine } from "./engine";
import { firstMatch } from "./llama/text";
import { type ChatTurn, contextOverflow, type Parameters, readMessages, readParameters } from "./parameters";
import { type Fault, failAs, readFault } from "./synthetic-faults";

const WORDS =
  "the quick signal runs along a grounded wire and carries every word from one node to another without losing its place".split(
    " ",
  );

const hash = (text: string): number => Bun.hash.xxHash32(text);
const splitTokens = (text: string): string[] => text.match(/\s*\S+|\s+$/g) ?? [];

/** The whole answer: at most `limit` of the `length` configured tokens, cut at a stop string. */
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

/** Tokens of an answer without delays between two turns of the event loop. */
const TOKENS_PER_TURN = 64;

/**
 * An engine without a model, for benchmarks and fault tests; it runs only if it is configured by name. A token is a
 * word with the space before it. The same request and seed give the same words. The last user message (or the prompt)
 * may ask for a fault, see `synthetic-faults.ts`.
 */
export const createSyntheticEngine = (config: Config): NodeEngine => {
  const { firstTokenMs, tokenMs, tokens: answerTokens } = config.synthetic;
  const model: NodeModel = {
    id: config.models.chat,
    kind: "chat",
    revision: "synthetic",
    context_window: config.node.contextTokens,
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
      if (parameters.operation === "chat" && parameters.schema) {
        const message = "response_format must be text: the synthetic engine can't follow a format.";
        throw new AppError("invalid_request", message, { param: "response_format" });
      }
      const promptTokens = splitTokens(promptText(parameters)).length;
      if (promptTokens >= model.context_window) {
        const param = operation === "chat" ? "messages" : "prompt";
        throw contextOverflow(model.context_window, `Your prompt has ${promptTokens}. Shorten it.`, param);
      }
      return { model, promptTokens, start: () => answer(parameters, promptTokens, signal) };
    },
    tokenize: async (name, input) => {
      findModel([model], name);
      const text = "text" in input ? input.text : chatText(readMessages(input.messages));
      return splitTokens(text).map(hash);
    },
    close: async () => {},
  };
};

const broken = () => new AppError("unavailable", "The engine was told to fail permanently. Restart the GPU node.");

/** A token with probability 1. */
const certain = (token: string) => ({ token, logprob: 0, bytes: [...Buffer.from(token)], top: [] });

async function* provoke(fault: Fault, signal: AbortSignal): AsyncGenerator<EngineEvent> {
  if (fault.what === "garbage") yield { type: "raw", data: '{"choices":[{"index":0,"delta":{"con' };
  else await failAs(fault, signal);
}
