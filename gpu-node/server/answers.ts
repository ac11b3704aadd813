import type { EngineEvent, Generation, TokenLogprob } from "../engine/engine";
import type { NodeModel, Timings } from "../protocol";
import type { Exchange } from "./exchange";
import { createFrames, DONE, frame, newIdentity, wholeAnswer, withTimings } from "./frames";

type Delta = Extract<EngineEvent, { type: "delta" }>;
type End = Extract<EngineEvent, { type: "end" }>;

/** Receives the engine's events. `delta` and `raw` return a promise when the client has to catch up first. */
export interface AnswerSink {
  delta(event: Delta): Promise<void> | undefined;
  raw(json: string): Promise<void> | undefined;
  end(event: End, timings: Timings): void;
}

/** The request that is answered, the model that answers, and the headers of the response. */
interface AnswerTarget {
  exchange: Exchange;
  operation: Generation["operation"];
  model: NodeModel;
  headers: Record<string, string>;
}

/** Server-Sent Events. Headers leave with the first token, so that a refusal has its own status. */
export const streamedAnswer = (
  { exchange, operation, model, headers }: AnswerTarget,
  includeUsage: boolean,
): AnswerSink => {
  const frames = createFrames(operation, newIdentity(operation, model), includeUsage);
  let isStarted = false;
  /** The last frame came from a server behind the node, which writes the end of its answer itself. */
  let isForwarded = false;

  const start = (): void => {
    if (!isStarted) exchange.startEvents(headers);
    isStarted = true;
  };
  const push = (text: string): Promise<void> | undefined => {
    start();
    return exchange.write(text) ? undefined : exchange.drained();
  };
  const opening = (): string => (isStarted ? "" : frames.opening);

  return {
    delta(event) {
      isForwarded = false;
      return push(opening() + frames.delta(event.text, event.logprobs));
    },
    raw(json) {
      isForwarded = true;
      return push(frame(json));
    },
    end(event, timings) {
      let last = opening() + (isForwarded ? "" : frames.end(event.finishReason));
      if (includeUsage) {
        last += event.frame ? frame(withTimings(event.frame, timings)) : frames.usage(event.usage, timings);
      }
      start();
      exchange.end(last + DONE);
    },
  };
};

/** One JSON document. */
export const documentAnswer = ({ exchange, operation, model, headers }: AnswerTarget): AnswerSink => {
  const identity = newIdentity(operation, model);
  const texts: string[] = [];
  const logprobs: TokenLogprob[] = [];
  let document: string | undefined;
  return {
    delta(event) {
      texts.push(event.text);
      if (event.logprobs) logprobs.push(...event.logprobs);
      return undefined;
    },
    raw(json) {
      document = json;
      return undefined;
    },
    end({ finishReason, usage }, timings) {
      const whole = { text: texts.join(""), logprobs: logprobs.length > 0 ? logprobs : undefined };
      const json =
        document === undefined
          ? wholeAnswer(operation, identity, { ...whole, finishReason, usage, timings })
          : withTimings(document, timings);
      exchange.send(200, "application/json", json, headers);
    },
  };
};
