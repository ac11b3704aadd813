import { AppError } from "../../lib/errors";
import { round } from "../../lib/round";
import type {
  AcceptedGeneration,
  CallDelta,
  EngineEvent,
  EngineUsage,
  Generation,
  TokenLogprob,
} from "../engine/engine";
import { readStreaming } from "../engine/parameters";
import type { NodeModel, Timings } from "../protocol";
import type { Exchange } from "./exchange";
import { type NodeDeps, type Slot, withSlot } from "./slot";
import { traceAnswer } from "./trace";

/** Handles one generation from request to last frame: check, wait for a slot, run, stop if the client disconnects. */
export const generate = (deps: NodeDeps, exchange: Exchange, operation: Generation["operation"]): Promise<void> => {
  const { config, engine, queue, bodies, status } = deps;
  status.assertOpen();
  const readsMedia = operation === "chat" && engine.models().some(({ capabilities }) => hasMedia(capabilities));
  return withSlot(exchange, config, {
    engine,
    queue,
    media: readsMedia ? bodies : undefined,
    check: async (body, { priority }) => {
      const streaming = readStreaming(body);
      const { signal, traceparent } = exchange;
      return { ...(await engine.accept({ operation, body, priority, signal, traceparent })), ...streaming };
    },
    run: (accepted, slot) => {
      const { model, mustCall } = accepted;
      const target = { exchange, operation, model, mustCall, headers: slot.headers };
      const sink = accepted.stream ? streamedAnswer(target, accepted.includeUsage) : documentAnswer(target);
      return run(deps, exchange, { operation, accepted, slot, sink });
    },
  });
};

const hasMedia = (can: NodeModel["capabilities"]): boolean => can?.vision === true || can?.audio_input === true;

interface Run {
  operation: Generation["operation"];
  accepted: AcceptedGeneration;
  slot: Slot;
  sink: AnswerSink;
}

/** Forwards the engine's events to the client, no faster than the client reads. */
const run = async (
  { status, metrics }: NodeDeps,
  exchange: Exchange,
  { operation, accepted, slot, sink }: Run,
): Promise<void> => {
  const pulse = status.answers.watch();
  let firstTokenAt: number | undefined;
  let end: Extract<EngineEvent, { type: "end" }> | undefined;
  let tokens = 0;
  try {
    for await (const event of accepted.start()) {
      if (exchange.ended) break;
      pulse.beatAt = performance.now();
      if (event.type === "end") {
        end = event;
        break;
      }
      firstTokenAt ??= pulse.beatAt;
      tokens += event.type === "delta" ? event.tokens : 1;
      const ready = event.type === "delta" ? sink.delta(event) : sink.raw(event.data);
      if (ready) {
        pulse.held = true;
        await ready;
        pulse.held = false;
        pulse.beatAt = performance.now();
      }
    }
    if (exchange.ended) return;
    if (!end) throw new AppError("upstream_error", "The engine stopped in the middle of its answer. Try again.");
    const now = performance.now();
    const firstAt = firstTokenAt ?? now;
    const timings = {
      queue_ms: slot.queueMs,
      prefill_ms: round(firstAt - slot.startedAt, 3),
      ttft_ms: round(firstAt - exchange.arrivedAt, 3),
      total_ms: round(now - exchange.arrivedAt, 3),
      cached_tokens: end.usage.cachedTokens,
    };
    sink.end(end, timings);
    metrics.answered(operation, accepted.model.id, end.usage, timings);
    if (exchange.span) {
      const { usage, finishReason } = end;
      traceAnswer(exchange.span, { operation, model: accepted.model.id, slot, firstTokenAt, usage, finishReason });
    }
  } finally {
    status.answers.stop(pulse);
    if (!end) metrics.brokeOff(accepted.model.id, tokens);
  }
};

type Delta = Extract<EngineEvent, { type: "delta" }>;
type End = Extract<EngineEvent, { type: "end" }>;

/** Receives the engine's events. `delta` and `raw` return a promise if the client must catch up first. */
interface AnswerSink {
  delta(event: Delta): Promise<void> | undefined;
  raw(json: string): Promise<void> | undefined;
  end(event: End, timings: Timings): void;
}

/** The request, the model that answers it, and the response headers. */
interface AnswerTarget {
  exchange: Exchange;
  operation: Generation["operation"];
  model: NodeModel;
  /** See `AcceptedGeneration`. */
  mustCall?: boolean;
  headers: Record<string, string>;
}

const frame = (json: string): string => `data: ${json}\n\n`;

/** The fields of OpenAI's format that every frame of an answer repeats. */
const headOf = ({ operation, model }: AnswerTarget, isFrame: boolean) => {
  const isChat = operation === "chat";
  return {
    id: `${isChat ? "chatcmpl" : "cmpl"}-${crypto.randomUUID().replaceAll("-", "")}`,
    object: isChat ? (isFrame ? "chat.completion.chunk" : "chat.completion") : "text_completion",
    created: Math.floor(Date.now() / 1000),
    model: model.id,
    system_fingerprint: `fp_${model.revision}`,
  };
};

const measured = (usage: EngineUsage, timings: Timings) => ({
  usage: {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
    ...(usage.reasoningTokens !== undefined && {
      completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    }),
  },
  timings,
});

/** Adds the node's measurements to a JSON object from a server behind the node. */
const withTimings = (json: string, timings: Timings): string =>
  json.replace(/\}\s*$/, `,"timings":${JSON.stringify(timings)}}`);

/** OpenAI's format of log probabilities; completions give each token's position in characters from `offset`. */
const logprobsOf = (isChat: boolean, logprobs: TokenLogprob[] | undefined, offset = 0) => {
  if (!logprobs) return null;
  if (isChat) return { content: logprobs.map(({ top, ...token }) => ({ ...token, top_logprobs: top })), refusal: null };
  let place = offset;
  return {
    tokens: logprobs.map(({ token }) => token),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: logprobs.map(({ top }) => Object.fromEntries(top.map(({ token, logprob }) => [token, logprob]))),
    text_offset: logprobs.map(({ token: { length } }) => {
      place += length;
      return place - length;
    }),
  };
};

/** Frames for a piece of a call in OpenAI's format: the id and the name come before the arguments. */
const callFrames = ({ index, id, name, arguments: text }: CallDelta): object[] => [
  ...(id === undefined ? [] : [{ index, id, type: "function", function: { name, arguments: "" } }]),
  ...(text === "" ? [] : [{ index, function: { arguments: text } }]),
];

/** A complete call in OpenAI's format. */
interface WholeCall {
  id?: string;
  type: "function";
  function: { name?: string; arguments: string };
}

const joinCall = (calls: WholeCall[], { index, id, name, arguments: text }: CallDelta): void => {
  calls[index] ??= { id, type: "function", function: { name, arguments: "" } };
  calls[index].function.arguments += text;
};

/** Sends Server-Sent Events. The headers are sent with the first token, so that an earlier error has its own status. */
const streamedAnswer = (target: AnswerTarget, includeUsage: boolean): AnswerSink => {
  const { exchange, operation, mustCall, headers } = target;
  const isChat = operation === "chat";
  const head = headOf(target, true);
  const start = JSON.stringify({ ...head, ...(includeUsage && { usage: null }) }).slice(0, -1);
  const choice = (content: object, logprobs: object | null, finish_reason: string | null): string =>
    frame(`${start},"choices":[${JSON.stringify({ index: 0, ...content, logprobs, finish_reason })}]}`);
  /** Text frames without log probabilities differ only in the text, so the rest is serialized once per answer. */
  const beforeText = `data: ${start},"choices":[{"index":0,${isChat ? '"delta":{"content":' : '"text":'}`;
  const afterText = `${isChat ? "}" : ""},"logprobs":null,"finish_reason":null}]}\n\n`;
  let isStarted = false;
  /** The last frame came from a server behind the node, which sends the end of the answer itself. */
  let isForwarded = false;
  /** Total length of the tokens whose log probabilities have been written, in characters. */
  let offset = 0;

  const push = (text: string): Promise<void> | undefined => {
    if (!isStarted) exchange.startEvents(headers);
    isStarted = true;
    return exchange.write(text) ? undefined : exchange.drained();
  };
  /**
   * The frame before the first piece, with the role (chat only). As in OpenAI's API, content stays null if there is no
   * text.
   */
  const opening = (content: "" | null): string =>
    isStarted || !isChat ? "" : choice({ delta: { role: "assistant", content } }, null, null);

  return {
    delta({ text, logprobs, reasoning, calls }) {
      isForwarded = false;
      let next = opening(text === "" && (calls || reasoning) ? null : "");
      if (reasoning) next += choice({ delta: { reasoning_content: reasoning } }, null, null);
      if (logprobs)
        next += choice(isChat ? { delta: { content: text } } : { text }, logprobsOf(isChat, logprobs, offset), null);
      else if (text !== "" || !(calls || reasoning)) next += `${beforeText}${JSON.stringify(text)}${afterText}`;
      for (const { token } of logprobs ?? []) offset += token.length;
      for (const piece of calls?.flatMap(callFrames) ?? [])
        next += choice({ delta: { tool_calls: [piece] } }, null, null);
      return push(next);
    },
    raw(json) {
      isForwarded = true;
      return push(frame(json));
    },
    end({ finishReason, usage, frame: forwarded }, timings) {
      let last = opening(mustCall ? null : "");
      if (!isForwarded) last += choice(isChat ? { delta: {} } : { text: "" }, null, finishReason);
      if (includeUsage) {
        const json = JSON.stringify({ ...head, choices: [], ...measured(usage, timings) });
        last += frame(forwarded ? withTimings(forwarded, timings) : json);
      }
      if (!isStarted) exchange.startEvents(headers);
      exchange.end(`${last}data: [DONE]\n\n`);
    },
  };
};

/** Sends one JSON document. */
const documentAnswer = (target: AnswerTarget): AnswerSink => {
  const { exchange, operation, mustCall, headers } = target;
  const isChat = operation === "chat";
  let text = "";
  let logprobs: TokenLogprob[] | undefined;
  let document: string | undefined;
  let reasoning_content: string | undefined;
  const calls: WholeCall[] = [];
  return {
    delta(event) {
      text += event.text;
      if (event.reasoning) reasoning_content = (reasoning_content ?? "") + event.reasoning;
      for (const piece of event.calls ?? []) joinCall(calls, piece);
      if (event.logprobs) {
        logprobs ??= [];
        logprobs.push(...event.logprobs);
      }
      return undefined;
    },
    raw(json) {
      document = json;
      return undefined;
    },
    end({ finishReason, usage }, timings) {
      const tool_calls = calls.length > 0 ? calls : undefined;
      const answer = text === "" && (mustCall || tool_calls || reasoning_content) ? null : text;
      const message = { role: "assistant", content: answer, refusal: null, reasoning_content, tool_calls };
      const content = isChat ? { message } : { text };
      const choice = { index: 0, ...content, logprobs: logprobsOf(isChat, logprobs), finish_reason: finishReason };
      const json = document
        ? withTimings(document, timings)
        : JSON.stringify({ ...headOf(target, false), choices: [choice], ...measured(usage, timings) });
      exchange.send(200, "application/json", json, headers);
    },
  };
};
