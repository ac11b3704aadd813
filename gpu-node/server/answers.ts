import type { EngineEvent, Generation, TokenLogprob } from "../engine/engine";
import type { NodeModel, Timings } from "../protocol";
import type { Exchange } from "./exchange";
import { type AnswerIdentity, DONE, FrameWriter, frame, newIdentity, wholeAnswer, withTimings } from "./frames";

type Delta = Extract<EngineEvent, { type: "delta" }>;
type End = Extract<EngineEvent, { type: "end" }>;

/** Where the engine's events go. `delta` and `raw` give a promise when the client has to catch up first. */
export interface AnswerSink {
  delta(event: Delta): Promise<void> | undefined;
  raw(json: string): Promise<void> | undefined;
  end(event: End, timings: Timings): void;
}

/** Server-Sent Events. Headers leave with the first token, so that a refusal has its own status. */
export class StreamedAnswer implements AnswerSink {
  readonly #writer: FrameWriter;
  #started = false;
  /** The last frame came from a server behind the node, which says itself how its answer ended. */
  #forwarded = false;
  readonly #exchange: Exchange;
  readonly #headers: Record<string, string>;
  readonly #includeUsage: boolean;

  constructor(
    exchange: Exchange,
    operation: Generation["operation"],
    model: NodeModel,
    headers: Record<string, string>,
    includeUsage: boolean,
  ) {
    this.#exchange = exchange;
    this.#headers = headers;
    this.#includeUsage = includeUsage;
    this.#writer = new FrameWriter(operation, newIdentity(operation, model), includeUsage);
  }

  delta(event: Delta): Promise<void> | undefined {
    this.#forwarded = false;
    return this.#push((this.#started ? "" : this.#writer.opening) + this.#writer.delta(event.text, event.logprobs));
  }

  raw(json: string): Promise<void> | undefined {
    this.#forwarded = true;
    return this.#push(frame(json));
  }

  end(event: End, timings: Timings): void {
    const opening = this.#started ? "" : this.#writer.opening;
    this.#start();
    this.#exchange.end(opening + this.#last(event, timings) + DONE);
  }

  #last(event: End, timings: Timings): string {
    const end = this.#forwarded ? "" : this.#writer.end(event.finishReason);
    if (!this.#includeUsage) return end;
    return end + (event.frame ? frame(withTimings(event.frame, timings)) : this.#writer.usage(event.usage, timings));
  }

  #push(frames: string): Promise<void> | undefined {
    this.#start();
    return this.#exchange.write(frames) ? undefined : this.#exchange.drained();
  }

  #start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#exchange.startEvents(this.#headers);
  }
}

/** One JSON document. */
export class WholeAnswer implements AnswerSink {
  readonly #identity: AnswerIdentity;
  readonly #texts: string[] = [];
  readonly #logprobs: TokenLogprob[] = [];
  #document: string | undefined;
  readonly #exchange: Exchange;
  readonly #operation: Generation["operation"];
  readonly #headers: Record<string, string>;

  constructor(
    exchange: Exchange,
    operation: Generation["operation"],
    model: NodeModel,
    headers: Record<string, string>,
  ) {
    this.#exchange = exchange;
    this.#operation = operation;
    this.#headers = headers;
    this.#identity = newIdentity(operation, model);
  }

  delta({ text, logprobs }: Delta): undefined {
    this.#texts.push(text);
    if (logprobs) this.#logprobs.push(...logprobs);
  }

  raw(json: string): undefined {
    this.#document = json;
  }

  end({ finishReason, usage }: End, timings: Timings): void {
    const logprobs = this.#logprobs.length > 0 ? this.#logprobs : undefined;
    const json =
      this.#document === undefined
        ? wholeAnswer(this.#operation, this.#identity, {
            text: this.#texts.join(""),
            logprobs,
            finishReason,
            usage,
            timings,
          })
        : withTimings(this.#document, timings);
    this.#exchange.send(200, "application/json", json, this.#headers);
  }
}
