import { setTimeout as sleep } from "node:timers/promises";
import type { EmbeddingList, TokenCounts } from "../gateway/embeddings/contract";
import { AppError, fromEnvelope, toAppError } from "../lib/errors";
import { decodeVector } from "../lib/vectors";

/** How long a call is repeated while the gateway or a node is unreachable or busy. */
const PATIENCE_MS = 120_000;
const PAUSE_MS = 1000;
/** The gateway counts up to this many texts of up to this many characters at a time. */
const MAX_TEXTS = 256;
const MAX_CHARACTERS = 65_536;
/** Keeps a request well below the gateway's limit for bodies, whatever the characters. */
const REQUEST_CHARACTERS = 262_144;

/** For whom a worker calls the gateway, and until when. */
interface Caller {
  /** Limits, rights and usage are those of this key. */
  keyId: string;
  signal: AbortSignal;
}

export interface GatewayClient {
  /** Vectors of a document's chunks in their order, and the revision of the model. */
  embed(
    caller: Caller,
    model: string,
    texts: readonly string[],
  ): Promise<{ vectors: Float32Array[]; revision: string }>;
  /** Tokens of each text as the model reads it in a document, with its prefix. */
  countTokens(caller: Caller, model: string, texts: readonly string[]): Promise<number[]>;
}

interface GatewayClientOptions {
  url: string;
  /** The current token of the worker. */
  token(): string;
  monotonicMs?: () => number;
}

/**
 * Calls the gateway for a key. While the key's limit is used up, a call waits; it is also repeated for two minutes while the
 * gateway can't answer. Throws the gateway's errors.
 */
export const createGatewayClient = ({
  url,
  token,
  monotonicMs = () => performance.now(),
}: GatewayClientOptions): GatewayClient => {
  const send = async <T>(path: string, { keyId, signal }: Caller, body: object): Promise<T> => {
    const headers = {
      authorization: `Bearer ${token()}`,
      "content-type": "application/json",
      "x-groundwire-on-behalf-of": keyId,
    };
    const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body), signal }).catch(
      (cause) => {
        signal.throwIfAborted();
        throw new AppError("unavailable", "The jobs worker can't reach the gateway. Check GROUNDWIRE_GATEWAY_URL.", {
          cause,
        });
      },
    );
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer as T;
    const retryAfterMs = Number(response.headers.get("retry-after-ms") ?? Number.NaN);
    throw fromEnvelope(answer, "gateway", Number.isFinite(retryAfterMs) ? retryAfterMs : undefined);
  };

  const post = async <T>(path: string, caller: Caller, body: object): Promise<T> => {
    const untilMs = monotonicMs() + PATIENCE_MS;
    for (;;) {
      try {
        return await send<T>(path, caller, body);
      } catch (thrown) {
        caller.signal.throwIfAborted();
        const error = toAppError(thrown);
        const mayWait = error.kind === "rate_limited" || (error.retryable && monotonicMs() < untilMs);
        if (!mayWait) throw error;
        await sleep(error.detail.retryAfterMs ?? PAUSE_MS, undefined, { signal: caller.signal });
      }
    }
  };

  return {
    async embed(caller, model, texts) {
      const body = { model, input: texts, input_type: "document", encoding_format: "base64" };
      const { data, model_revision } = await post<EmbeddingList>("/v1/embeddings", caller, body);
      const vectors = data.map(({ embedding }) => decodeVector(embedding));
      if (vectors.length !== texts.length || vectors.includes(undefined)) {
        throw new AppError("upstream_error", "The gateway did not return a vector for every text.");
      }
      return { vectors: vectors.filter((vector) => vector !== undefined), revision: model_revision };
    },

    async countTokens(caller, model, texts) {
      const counts = texts.map(() => 0);
      for (const batch of cutTexts(texts)) {
        const input = batch.map(({ text }) => text);
        const { data } = await post<TokenCounts>("/v1/tokenize", caller, { model, input, input_type: "document" });
        for (const [place, { index }] of batch.entries()) {
          counts[index] = (counts[index] ?? 0) + (data[place]?.count ?? 0);
        }
      }
      return counts;
    },
  };
};

interface Piece {
  index: number;
  text: string;
}

/** Splits texts into requests. A text that is too long for one is counted in pieces, so its count is a few tokens too high. */
const cutTexts = (texts: readonly string[]): Piece[][] => {
  const batches: Piece[][] = [];
  let length = 0;
  for (const [index, whole] of texts.entries()) {
    for (let from = 0; from === 0 || from < whole.length; from += MAX_CHARACTERS) {
      const text = whole.slice(from, from + MAX_CHARACTERS);
      const current = batches.at(-1);
      length += text.length;
      if (current && current.length < MAX_TEXTS && length <= REQUEST_CHARACTERS) current.push({ index, text });
      else {
        batches.push([{ index, text }]);
        length = text.length;
      }
    }
  }
  return batches;
};
