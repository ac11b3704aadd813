import type { EngineUsage, Generation, TokenLogprob } from "../engine/engine";
import type { NodeModel, Timings } from "../protocol";

/**
 * OpenAI's wire format of answers. The parts that are the same in all frames of an answer are built once: a token costs
 * the JSON of its own text and two joins.
 */

type Operation = Generation["operation"];
type FinishReason = "stop" | "length";

/** The part that every frame of an answer repeats. */
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

const logprobsJson = (operation: Operation, logprobs: TokenLogprob[] | undefined, offset: number): string => {
  if (!logprobs) return "null";
  return operation === "chat" ? chatLogprobs(logprobs) : completionLogprobs(logprobs, offset);
};

/** Makes the Server-Sent Events of one streamed answer, in the order opening, delta…, end, usage. */
export const createFrames = (operation: Operation, identity: AnswerIdentity, includeUsage: boolean) => {
  const isChat = operation === "chat";
  const start = `data: ${head(identity, isChat ? "chat.completion.chunk" : "text_completion")}`;
  const choice = `${start}${includeUsage ? '"usage":null,' : ""}"choices":[{"index":0,`;
  const before = `${choice}${isChat ? '"delta":{"content":' : '"text":'}`;
  const after = isChat ? "}" : "";
  /** Characters of the tokens whose log probabilities were written. */
  let offset = 0;
  return {
    /** The frame before the first text: the role, for chat. */
    opening: isChat
      ? `${choice}"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}\n\n`
      : "",
    delta(text: string, logprobs?: TokenLogprob[]): string {
      const json = logprobsJson(operation, logprobs, offset);
      for (const { token } of logprobs ?? []) offset += token.length;
      return `${before}${JSON.stringify(text)}${after},"logprobs":${json},"finish_reason":null}]}\n\n`;
    },
    end: (finishReason: FinishReason): string =>
      `${choice}${isChat ? '"delta":{}' : '"text":""'},"logprobs":null,"finish_reason":"${finishReason}"}]}\n\n`,
    usage: (usage: EngineUsage, timings: Timings): string => `${start}"choices":[],${usageJson(usage, timings)}}\n\n`,
  };
};

/** The JSON document of an answer that isn't streamed. */
export const wholeAnswer = (
  operation: Operation,
  identity: AnswerIdentity,
  answer: { text: string; logprobs?: TokenLogprob[]; finishReason: FinishReason; usage: EngineUsage; timings: Timings },
): string => {
  const isChat = operation === "chat";
  const text = JSON.stringify(answer.text);
  const content = isChat ? `"message":{"role":"assistant","content":${text},"refusal":null}` : `"text":${text}`;
  const logprobs = `"logprobs":${logprobsJson(operation, answer.logprobs, 0)}`;
  return (
    `${head(identity, isChat ? "chat.completion" : "text_completion")}"choices":[{"index":0,${content},${logprobs},` +
    `"finish_reason":"${answer.finishReason}"}],${usageJson(answer.usage, answer.timings)}}`
  );
};

/** Adds the node's measurement to a JSON object that a server behind the node made. */
export const withTimings = (json: string, timings: Timings): string =>
  json.replace(/\}\s*$/, `,"timings":${JSON.stringify(timings)}}`);
