import type { ChatAnswer, ChatCompletionRequest } from "../gateway/chat/contract";
import type { EmbeddingList, TokenCounts } from "../gateway/embeddings/contract";
import type { Model, ModelList } from "../gateway/models/contract";
import type { RagAnswer, RagQuery } from "../gateway/rag/contract";
import { AppError, fromEnvelope } from "../lib/errors";
import { decodeVector } from "../lib/vectors";
import { retry } from "./retry";

/** The gateway's limits for one token count: the number of texts, and the characters of each. */
const MAX_TEXTS = 256;
const MAX_CHARACTERS = 65_536;
/** Maximum characters per request, which keeps any body well below the gateway's size limit. */
const REQUEST_CHARACTERS = 262_144;

/** The key that a worker calls the gateway for, and the signal that aborts the call. */
interface Caller {
  /** This key's limits and permissions apply, and usage is counted for it. */
  keyId: string;
  /** The evaluation run that the call belongs to. */
  runId?: string;
  signal: AbortSignal;
  /** Id of the request in the request log; by default, the gateway chooses one. */
  requestId?: string;
  /** The span that the call belongs to. */
  traceparent?: string;
}

/** The gateway functions that ingestion needs. */
export type EmbeddingClient = Pick<GatewayClient, "embed" | "countTokens">;

export interface GatewayClient {
  /** The vectors of a document's chunks, in order, and the model's revision. */
  embed(
    caller: Caller,
    model: string,
    texts: readonly string[],
  ): Promise<{ vectors: Float32Array[]; revision: string }>;
  /** The number of tokens of each text, including the model's document prefix. */
  countTokens(caller: Caller, model: string, texts: readonly string[]): Promise<number[]>;
  chatOnce: ChatOnce;
  queryOnce: QueryOnce;
  requestOnce: RequestOnce;
  /** The models that the key may use. Doesn't retry. */
  listModels(caller: Caller): Promise<Model[]>;
}

/** Sends a request once, without retries, to a route that calls a model. Throws the gateway's errors. */
export type RequestOnce = (
  caller: Caller,
  path: string,
  body: object,
) => Promise<{ body: unknown; queueMs: number; totalMs: number }>;

/** Sends a request once, without retries, so that the caller decides how long to wait. Throws the gateway's errors. */
type Once<Body, Answer> = (caller: Caller, body: Body, options: { usesCache: boolean }) => Promise<Answer>;
export type ChatOnce = Once<ChatCompletionRequest, ChatAnswer>;
export type QueryOnce = Once<RagQuery, RagAnswer>;

interface GatewayClientOptions {
  url: string;
  /** The worker's current token. */
  token(): string;
  monotonicMs?: () => number;
}

/**
 * Calls the gateway on behalf of a key. Waits while the key's limit is used up, and retries for two minutes while the
 * gateway can't answer. Throws the gateway's errors.
 */
export const createGatewayClient = ({ url, token, monotonicMs }: GatewayClientOptions): GatewayClient => {
  /** Without a body, the request is a GET. */
  const exchange = async <T>(
    path: string,
    { keyId, runId, signal, requestId, traceparent }: Caller,
    body?: object,
    more?: Record<string, string>,
  ): Promise<{ body: T; headers: Headers }> => {
    const headers = {
      ...more,
      authorization: `Bearer ${token()}`,
      ...(body && { "content-type": "application/json" }),
      "x-groundwire-on-behalf-of": keyId,
      ...(runId !== undefined && { "x-groundwire-run": runId }),
      ...(requestId !== undefined && { "x-request-id": requestId }),
      ...(traceparent && { traceparent }),
    };
    const unreachable = (cause: unknown): never => {
      signal.throwIfAborted();
      throw new AppError("unavailable", "The jobs worker can't reach the gateway. Check GROUNDWIRE_GATEWAY_URL.", {
        cause,
      });
    };
    const init = body ? { method: "POST", headers, body: JSON.stringify(body), signal } : { headers, signal };
    const response = await fetch(url + path, init).catch(unreachable);
    // A gateway that is killed leaves an incomplete answer.
    if (response.ok) return { body: (await response.json().catch(unreachable)) as T, headers: response.headers };
    const answer: unknown = await response.json().catch(() => undefined);
    const retryAfterMs = Number(response.headers.get("retry-after-ms") ?? Number.NaN);
    throw fromEnvelope(answer, "gateway", Number.isFinite(retryAfterMs) ? retryAfterMs : undefined);
  };

  const send = async <T>(...sent: Parameters<typeof exchange>): Promise<T> => (await exchange<T>(...sent)).body;

  const post = <T>(path: string, caller: Caller, body: object): Promise<T> =>
    retry(() => send<T>(path, caller, body), caller.signal, monotonicMs);

  const once =
    <Body extends object, Answer>(path: string): Once<Body, Answer> =>
    (caller, body, { usesCache }) =>
      send(path, caller, body, usesCache ? {} : { "cache-control": "no-cache, no-store" });

  return {
    chatOnce: once("/v1/chat"),
    queryOnce: once("/v1/rag/query"),
    listModels: async (caller) => (await send<ModelList>("/v1/models", caller)).data,

    async requestOnce(caller, path, body) {
      const { headers, ...answer } = await exchange<unknown>(path, caller, body);
      const timing = headers.get("server-timing") ?? "";
      return { ...answer, queueMs: stageIn(timing, "queue"), totalMs: stageIn(timing, "total") };
    },

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

/** Duration of a stage in a `server-timing` header, in milliseconds; 0 if it isn't listed. */
const stageIn = (timing: string, stage: string): number =>
  Number(new RegExp(`\\b${stage};dur=([\\d.]+)`).exec(timing)?.[1] ?? 0);

interface Piece {
  index: number;
  text: string;
}

/** Splits texts into requests. A text that is too long is counted in pieces, so its count is a few tokens too high. */
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
