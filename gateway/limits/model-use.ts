import type { Reservation } from "../ports/ledger";
import { type KeyLimit, SCALE } from "./key-limit";
import { isCountedOnArrival, type KeyCharge } from "./terms";

export interface UsedModel {
  id: string;
  /** Tokens that prompt and answer can have together; null: unknown. */
  contextWindow: number | null;
}

/** One use of a model, before it starts. */
export interface ModelWork {
  isEmbedding: boolean;
  /** An estimate. */
  promptTokens: number;
  /** The longest answer, of one choice; undefined: the request doesn't limit it. */
  answerTokens?: number;
  /** Number of answers to the prompt; undefined: 1. */
  choices?: number;
}

/** What a use of a model took. */
export interface Usage {
  /** 0: unknown, so the estimate counts. */
  promptTokens: number;
  answerTokens: number;
  /** How long it held a slot. */
  heldMs: number;
}

export interface Price {
  gpuPricePerHour?: number;
}

/** Slots that share the machine's time. */
type SlotCounts = () => { answers: number; embeddings: number };

/** English text has 4 to 5 bytes per token; code and other languages have fewer. */
const BYTES_PER_TOKEN = 3;
/** Reserved for the answer of a request that doesn't limit it. If less is left, the rest is reserved. */
const UNLIMITED_ANSWER_TOKENS = 1024;
/** Machine time per token of a model that has not been used yet. */
const FIRST_MS_PER_TOKEN = 5;
/** Weight of the newest use. */
const NEWEST = 0.2;

/** The images and audio in a request. Sizes are those of the base64 text. */
export interface Media {
  images: number;
  imageBytes: number;
  audioBytes: number;
  audioSeconds: number;
}

/** Models use a few hundred to two thousand tokens per image, and about 25 per second of audio. */
const TOKENS_PER_IMAGE = 1000;
const TOKENS_PER_SECOND = 25;

/** Estimates the tokens of a text. Its images are counted by number and its audio by length, not as text. */
export const estimateTokens = (text: string, media?: Media): number => {
  const bytes = Buffer.byteLength(text);
  if (!media) return Math.ceil(bytes / BYTES_PER_TOKEN);
  const { images, imageBytes, audioBytes, audioSeconds } = media;
  const textBytes = Math.max(0, bytes - imageBytes - audioBytes);
  return Math.ceil(textBytes / BYTES_PER_TOKEN + images * TOKENS_PER_IMAGE + audioSeconds * TOKENS_PER_SECOND);
};

/** The machine time per token of each model, learned from its uses. */
export class Rates {
  readonly #msPerToken = new Map<string, number>();

  of(model: string): number {
    return this.#msPerToken.get(model) ?? FIRST_MS_PER_TOKEN;
  }

  learn(model: string, machineMs: number, tokens: number): void {
    if (tokens === 0) return;
    const rate = machineMs / tokens;
    const known = this.#msPerToken.get(model);
    this.#msPerToken.set(model, known === undefined ? rate : known + NEWEST * (rate - known));
  }
}

/** The cost of machine time in the counters of `unit`, rounded up. */
const costOf = (unit: "money" | "gpu_seconds", machineMs: number, { gpuPricePerHour = 0 }: Price): number =>
  Math.ceil(unit === "gpu_seconds" ? machineMs : (machineMs / 3_600_000) * gpuPricePerHour * SCALE.money);

/** What a use of a model reserves. */
export const planUse = (
  limits: readonly KeyLimit[],
  { id, contextWindow }: UsedModel,
  { promptTokens, answerTokens, choices = 1, isEmbedding }: ModelWork,
  rates: Rates,
  price: Price,
): KeyCharge[] => {
  const longest = isEmbedding ? Number.POSITIVE_INFINITY : (contextWindow ?? Number.POSITIVE_INFINITY);
  // Each choice can fill what the prompt leaves of the context window.
  const tokensWith = (each: number): number => {
    const first = Math.min(promptTokens + each, longest);
    const others = (choices - 1) * Math.min(each, Math.max(0, longest - promptTokens));
    return Math.max(1, first + others);
  };
  const least = tokensWith(answerTokens ?? 1);
  const tokens = tokensWith(answerTokens ?? UNLIMITED_ANSWER_TOKENS);
  const machineMs = tokens * rates.of(id);
  return limits.map((limit): KeyCharge => {
    if (isCountedOnArrival(limit)) return { limit, amount: 0, least: 0 };
    if (limit.unit === "requests") return { limit, amount: 1, least: 1 };
    if (limit.unit === "tokens") return { limit, amount: tokens, least };
    // Time and money are estimates, so anything that is left is enough.
    return { limit, amount: Math.max(1, costOf(limit.unit, machineMs, price)), least: 1 };
  });
};

interface UseDeps {
  model: UsedModel;
  work: ModelWork;
  rates: Rates;
  price: Price;
  slots: SlotCounts;
}

/** A reservation for one use of a model. Settle it exactly once, however the use ends. */
export class ModelUse {
  #isSettled = false;

  constructor(
    private readonly reserved: Reservation,
    private readonly charges: readonly KeyCharge[],
    private readonly deps: UseDeps,
    private readonly onSettle: (used: { tokens: number; machineMs: number }) => void,
  ) {}

  /** Returns everything: no node has accepted the work. */
  cancel(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.reserved.settle(this.charges.map(() => 0));
  }

  /** Counts what was used, and returns the rest. Later calls do nothing. */
  settle({ promptTokens, answerTokens, heldMs }: Usage): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const { model, work, rates, price } = this.deps;
    const slots = this.deps.slots();
    const machineMs = heldMs / Math.max(1, work.isEmbedding ? slots.embeddings : slots.answers);
    const tokens = (promptTokens || work.promptTokens) + answerTokens;
    rates.learn(model.id, machineMs, tokens);
    this.reserved.settle(
      this.charges.map(({ limit: { unit, window }, amount }) => {
        if (amount === 0) return 0;
        if (unit === "requests") return window.period === "active" ? 0 : 1;
        return unit === "tokens" ? tokens : costOf(unit, machineMs, price);
      }),
    );
    this.onSettle({ tokens, machineMs });
  }
}
