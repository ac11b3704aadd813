import type {
  LlamaContextSequence,
  LlamaGrammarEvaluationState,
  LlamaModel,
  SequenceEvaluateOutput,
  Token,
} from "node-llama-cpp";
import { AppError } from "../../../lib/errors";
import type { Priority } from "../../protocol";
import type { EngineEvent, FinishReason, TokenLogprob } from "../engine";
import { type Channel, createChannel } from "./channel";
import type { ReasoningSplitter } from "./reasoning";
import { evaluateOptions, type Sampling } from "./sampling";
import { createStopMatcher, createTextAssembler } from "./text";
import type { CallParser, CallPiece } from "./tools/call-parser";

/** One generation, ready to be assigned to a sequence. */
export interface Job {
  prompt: Token[];
  priority: Priority;
  /** Maximum length of the answer in tokens, at least 1. Prompt and answer together fit into the context. */
  maxTokens: number;
  sampling: Sampling;
  stops: string[];
  grammar?: LlamaGrammarEvaluationState;
  topLogprobs?: number;
  /** Separates reasoning from the answer; undefined if the answer has none. */
  reasoning?: ReasoningSplitter;
  /** Finds the function calls in the answer; undefined if it must not call any. */
  calls?: {
    parser: CallParser;
    /** Control tokens around calls. They are decoded to text for the call parser; other control tokens are dropped. */
    markers: ReadonlySet<Token>;
  };
  signal: AbortSignal;
}

/** Probabilities are present only if they were requested. */
type Output = Pick<SequenceEvaluateOutput, "token"> & Partial<SequenceEvaluateOutput>;

/**
 * A generation on its sequence. The scheduler calls `advance` once per step with the tokens it grants. The output goes
 * to `events`. When `isOver` is true, the sequence is free for another generation.
 */
export class LlamaStream {
  readonly events: Channel<EngineEvent> = createChannel();
  isOver = false;
  #uncomputed: Token[];
  #generated: Token[] = [];
  /** Tokens since the last delta: several may form one character or be part of a possible stop string. */
  #unreported = 0;
  #logprobs: NonNullable<Extract<EngineEvent, { type: "delta" }>["logprobs"]> = [];
  #reasoningTokens = 0;
  #hasFailed = false;
  #outputs?: AsyncGenerator<Output, void, undefined>;
  readonly #text;
  readonly #stops;
  readonly #onAbort = () => this.cancel();

  /** `cachedTokens` tokens of the prompt are in the sequence's KV cache; at least one is not. */
  constructor(
    readonly sequence: LlamaContextSequence,
    readonly job: Job,
    readonly cachedTokens: number,
  ) {
    const model: LlamaModel = sequence.model;
    this.#uncomputed = job.prompt.slice(cachedTokens);
    const isMarker = (token: Token) => job.calls?.markers.has(token) === true;
    this.#text = createTextAssembler<Token>(
      (tokens, before) => model.detokenize(tokens, tokens.some(isMarker), before),
      job.prompt,
    );
    this.#stops = createStopMatcher(job.stops);
    job.signal.addEventListener("abort", this.#onAbort, { once: true });
    if (job.signal.aborted) this.cancel();
  }

  /** Prompt tokens still to compute before the first token; 0 while generating. */
  get prefillTokens(): number {
    return this.#uncomputed.length;
  }

  /** Computes `tokens` more tokens of the prompt, or generates the next token. */
  async advance(tokens: number): Promise<void> {
    try {
      if (tokens < this.#uncomputed.length) {
        await this.sequence.evaluateWithoutGeneratingNewTokens(this.#uncomputed.splice(0, tokens));
        return;
      }
      const { sampling, maxTokens, grammar, topLogprobs } = this.job;
      this.#outputs ??= this.sequence.evaluateWithMetadata(
        this.#uncomputed.splice(0),
        { probabilities: topLogprobs !== undefined },
        {
          ...evaluateOptions(sampling, this.#generated, maxTokens),
          grammarEvaluationState: grammar,
          yieldEogToken: true,
        },
      );
      const { value } = await this.#outputs.next();
      if (this.isOver) return;
      if (!value) throw new Error("the engine ended without a token");
      this.#take(value);
    } catch (error) {
      this.#hasFailed = true;
      this.cancel(engineFailure(error));
    }
  }

  /** Ends the stream for its reader immediately and frees the sequence at the end of the running step. */
  cancel(reason: unknown = this.job.signal.reason): void {
    this.#close();
    this.events.fail(reason instanceof AppError ? reason : new AppError("client_closed", "The caller disconnected."));
  }

  /** Releases the engine's resources for this generation. Called by the scheduler, between two steps. */
  async release(): Promise<void> {
    await this.#outputs?.return();
    if (this.#hasFailed) await this.sequence.clearHistory(); // its cache may contain anything
  }

  #take({ token, probabilities }: Output): void {
    this.#generated.push(token);
    this.#unreported++;
    if (this.job.reasoning?.isReasoning) this.#reasoningTokens++;
    if (this.sequence.model.isEogToken(token)) {
      this.#finish("stop");
      return;
    }
    if (probabilities && this.job.topLogprobs !== undefined) {
      this.#logprobs.push(readLogprob(this.sequence.model, token, probabilities, this.job.topLogprobs));
    }
    const { text, stopped } = this.#stops.push(this.#text.push(token));
    this.#show(text);
    if (stopped || this.job.calls?.parser.isOver) this.#end("stop");
    else if (this.#generated.length >= this.job.maxTokens) this.#finish("length");
  }

  /** Ends the answer. Text that was held back can no longer become a stop string, unless it just did. */
  #finish(reason: "stop" | "length"): void {
    const { text, stopped } = this.#stops.push(this.#text.flush());
    this.#show(stopped ? text : text + this.#stops.flush());
    this.#end(stopped ? "stop" : reason);
  }

  #show(piece: string): void {
    const { reasoning, text } = this.job.reasoning?.push(piece) ?? { reasoning: "", text: piece };
    this.#emit(this.job.calls?.parser.push(text) ?? { text, calls: [] }, reasoning);
  }

  #showRest(): void {
    const { calls, reasoning: splitter } = this.job;
    const { reasoning, text } = splitter?.flush() ?? { reasoning: "", text: "" };
    this.#emit(calls?.parser.push(text) ?? { text, calls: [] }, reasoning);
    if (calls) this.#emit(calls.parser.flush());
  }

  /** Log probabilities of reasoning and calls are not reported. */
  #emit({ text, calls }: CallPiece, reasoning = ""): void {
    if (text === "" && reasoning === "" && calls.length === 0) return;
    const logprobs = this.job.topLogprobs === undefined || text === "" ? undefined : this.#logprobs;
    this.events.push({
      ...{ type: "delta", text, tokens: this.#unreported, logprobs },
      ...(reasoning !== "" && { reasoning }),
      ...(calls.length > 0 && { calls }),
    });
    this.#unreported = 0;
    this.#logprobs = [];
  }

  #end(reason: "stop" | "length"): void {
    const { prompt, calls } = this.job;
    this.#showRest();
    const finishReason: FinishReason = reason === "stop" && calls?.parser.hasCalled ? "tool_calls" : reason;
    this.#close();
    this.events.push({
      type: "end",
      finishReason,
      usage: {
        promptTokens: prompt.length,
        completionTokens: this.#generated.length,
        cachedTokens: this.cachedTokens,
        ...(this.job.reasoning && { reasoningTokens: this.#reasoningTokens }),
      },
    });
    this.events.end();
  }

  #close(): void {
    this.isOver = true;
    this.job.signal.removeEventListener("abort", this.#onAbort);
  }
}

const engineFailure = (cause: unknown): AppError =>
  new AppError("unavailable", "The engine failed while generating this answer. Try again.", { cause });

/** OpenAI's value for nearly impossible tokens, because JSON has no -Infinity. */
const MIN_LOGPROB = -9999;

/**
 * The log probabilities of a token and of the `top` most likely tokens, in the distribution that was sampled from:
 * after temperature, top_k, top_p, min_p and grammar. `probabilities` is sorted, most likely first.
 */
const readLogprob = (
  model: LlamaModel,
  token: Token,
  probabilities: ReadonlyMap<Token, number>,
  top: number,
): TokenLogprob => {
  const describe = (id: Token, probability: number) => ({
    token: model.detokenize([id], true),
    logprob: Math.max(Math.log(probability), MIN_LOGPROB),
    bytes: tokenBytes(model, id),
  });
  const likeliest = probabilities.entries().take(top);
  return {
    ...describe(token, probabilities.get(token) ?? 0),
    top: [...likeliest].map(([id, probability]) => describe(id, probability)),
  };
};

const encoder = new TextEncoder();

/**
 * The bytes of one token, which may be part of a character (its text is then U+FFFD). They are read from the
 * vocabulary, where byte-level BPE writes each byte as a character and SentencePiece writes single bytes as `<0xE2>`.
 */
const tokenBytes = (model: LlamaModel, token: Token): number[] => {
  const { model: kind, tokens } = model.fileInfo.metadata.tokenizer.ggml;
  const entry = tokens[token] ?? "";
  const text = () => [...encoder.encode(model.detokenize([token], true))];
  if (kind === "gpt2") return bytesOfBpe(entry) ?? text();
  const lone = kind === "llama" ? /^<0x([0-9A-F]{2})>$/.exec(entry)?.[1] : undefined;
  return lone === undefined ? text() : [Number.parseInt(lone, 16)];
};

/** Returns undefined for an entry that is not byte-encoded, such as some control tokens. */
export const bytesOfBpe = (entry: string): number[] | undefined => {
  const bytes = [...entry].map((character) => BYTE_OF.get(character));
  return bytes.every((byte) => byte !== undefined) ? bytes : undefined;
};

/** GPT-2's byte table: printable Latin-1 bytes map to themselves, the others to characters starting at U+0100. */
const BYTE_OF: ReadonlyMap<string, number> = (() => {
  const isPrintable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  let next = 256;
  return new Map(
    Array.from({ length: 256 }, (_, byte) => [String.fromCodePoint(isPrintable(byte) ? byte : next++), byte]),
  );
})();
