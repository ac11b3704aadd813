import type { EngineUsage, Generation, TokenLogprob } from "../engine/engine";
import type { NodeModel, Timings } from "../protocol";

/**
 * OpenAI's wire format of answers. What stays the same within an answer is put together once: a token costs the JSON
 * of its own text and two joins.
 */

type Operation = Generation["operation"];
type FinishReason = "stop" | "length";

/** Who answers: the part that every frame of an answer repeats. */
export interface AnswerIdentity {
  id: string;
  /** Seconds since 1970. */
  created: number;
  model: NodeModel;
}

export const newIdentity = (operation: Operation, model: NodeModel): AnswerIdentity => ({
  id: `${operation === "chat" ? "chatcmpl" : "cmpl"}-${crypto.randomUUID().replaceAll("-", "")}`,
  created: Math.floor(Date.now() / 1000),
  model,
});

export const DONE = "data: [DONE]\n\n";
export const frame = (json: string): string => `data: ${json}\n\n`;

const head = (identity: AnswerIdentity, object: string): string =>
  `{"id":"${identity.id}","object":"${object}","created":${identity.created},` +
  `"model":${JSON.stringify(identity.model.id)},"system_fingerprint":"fp_${identity.model.revision}",`;

const usageJson = (usage: EngineUsage, timings: Timings): string =>
  `"usage":${JSON.stringify({
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  })},"timings":${JSON.stringify(timings)}`;

const chatLogprobs = (logprobs: TokenLogprob[]): string =>
  JSON.stringify({
    content: logprobs.map(({ token, logprob, bytes, top }) => ({ token, logprob, bytes, top_logprobs: top })),
    refusal: null,
  });

/** OpenAI's older form: parallel lists, with the place of each token counted in characters from `offset`. */
const completionLogprobs = (logprobs: TokenLogprob[], offset: number): string => {
  let place = offset;
  const offsets = logprobs.map(({ token }) => {
    const start = place;
    place += token.length;
    return start;
  });
  return JSON.stringify({
    tokens: logprobs.map(({ token }) => token),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: logprobs.map(({ top }) => Object.fromEntries(top.map(({ token, logprob }) => [token, logprob]))),
    text_offset: offsets,
  });
};

/** Makes the Server-Sent Events of one streamed answer, in the order opening, delta…, end, usage. */
export class FrameWriter {
  /** What comes before the first text: the role, for chat. */
  readonly opening: string;
  readonly #start: string;
  readonly #choice: string;
  readonly #before: string;
  readonly #after: string;
  #offset = 0;
  readonly #operation: Operation;

  constructor(operation: Operation, identity: AnswerIdentity, includeUsage: boolean) {
    this.#operation = operation;
    const chat = operation === "chat";
    this.#start = `data: ${head(identity, chat ? "chat.completion.chunk" : "text_completion")}`;
    this.#choice = `${this.#start}${includeUsage ? '"usage":null,' : ""}"choices":[{"index":0,`;
    this.#before = `${this.#choice}${chat ? '"delta":{"content":' : '"text":'}`;
    this.#after = chat ? "}" : "";
    this.opening = chat
      ? `${this.#choice}"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}\n\n`
      : "";
  }

  delta(text: string, logprobs?: TokenLogprob[]): string {
    const logprobsJson = logprobs ? this.#logprobs(logprobs) : "null";
    return `${this.#before}${JSON.stringify(text)}${this.#after},"logprobs":${logprobsJson},"finish_reason":null}]}\n\n`;
  }

  end(finishReason: FinishReason): string {
    const nothing = this.#operation === "chat" ? '"delta":{}' : '"text":""';
    return `${this.#choice}${nothing},"logprobs":null,"finish_reason":"${finishReason}"}]}\n\n`;
  }

  usage(usage: EngineUsage, timings: Timings): string {
    return `${this.#start}"choices":[],${usageJson(usage, timings)}}\n\n`;
  }

  #logprobs(logprobs: TokenLogprob[]): string {
    if (this.#operation === "chat") return chatLogprobs(logprobs);
    const json = completionLogprobs(logprobs, this.#offset);
    for (const { token } of logprobs) this.#offset += token.length;
    return json;
  }
}

/** The JSON document of an answer that isn't streamed. */
export const wholeAnswer = (
  operation: Operation,
  identity: AnswerIdentity,
  answer: { text: string; logprobs?: TokenLogprob[]; finishReason: FinishReason; usage: EngineUsage; timings: Timings },
): string => {
  const text = JSON.stringify(answer.text);
  const { logprobs } = answer;
  const end = `"finish_reason":"${answer.finishReason}"}],${usageJson(answer.usage, answer.timings)}}`;
  if (operation === "chat") {
    const message = `"message":{"role":"assistant","content":${text},"refusal":null}`;
    const logprobsJson = logprobs ? chatLogprobs(logprobs) : "null";
    return `${head(identity, "chat.completion")}"choices":[{"index":0,${message},"logprobs":${logprobsJson},${end}`;
  }
  const logprobsJson = logprobs ? completionLogprobs(logprobs, 0) : "null";
  return `${head(identity, "text_completion")}"choices":[{"index":0,"text":${text},"logprobs":${logprobsJson},${end}`;
};

/** Adds the node's measurement to a JSON object that a server behind the node made. */
export const withTimings = (json: string, timings: Timings): string =>
  json.replace(/\}\s*$/, `,"timings":${JSON.stringify(timings)}}`);
