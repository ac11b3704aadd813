import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, type ErrorKind } from "../../../lib/errors";
import type { Log } from "../../../lib/log";
import { contextOverflow } from "../fields";

/** The fields of a server's `/v1/models` that the node uses. */
export interface ListedModel {
  id: string;
  /** Identifies the type of server: "vllm", "sglang" or "llamacpp". */
  owned_by?: string;
  /** vLLM and SGLang: the path or repository of the model. */
  root?: string;
  /** vLLM: the context window. */
  max_model_len?: number;
  /** llama-server. */
  meta?: { n_ctx_train?: number } | null;
}

/** The response of `/info`, which TEI has instead of `/v1/models`. */
interface TeiInfo {
  model_id?: string;
  model_sha?: string | null;
  max_input_length?: number;
}

/** vLLM, SGLang and llama-server list ids; TEI lists the tokens of each text as objects. */
type Tokens = { tokens?: number[] } | { id: number }[][];

/** Delay between attempts to reach a server that may still be loading its model. */
const RETRY_MS = 1000;
/** Bun's default limit on parallel fetch requests; BUN_CONFIG_MAX_HTTP_REQUESTS changes it. */
const DEFAULT_MAX_REQUESTS = 256;

/**
 * Connects to an OpenAI-compatible server behind the node. `setting` is the name of the setting with its `url`; `slots`
 * is the maximum number of parallel requests. Throws invalid_request.
 */
export const createUpstream = (setting: string, url: string | undefined, key: string | undefined, slots: number) => {
  if (!url) throw new AppError("invalid_request", `${setting} is not set. Set it to the server's address.`);
  if (slots >= DEFAULT_MAX_REQUESTS && process.env.BUN_CONFIG_MAX_HTTP_REQUESTS === undefined) {
    const message = `For ${slots} slots, set BUN_CONFIG_MAX_HTTP_REQUESTS=${slots * 2} in the node's environment.`;
    throw new AppError("invalid_request", message);
  }
  const base = url.replace(/\/+$/, "").replace(/\/v1$/, "");
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (key) headers.authorization = `Bearer ${key}`;
  const closing = new AbortController();

  /** Sends a JSON POST, or a GET without `body`. Throws the server's error, unavailable or the signal's reason. */
  const call = async (path: string, signal: AbortSignal, body?: unknown, traceparent?: string): Promise<Response> => {
    const method = body === undefined ? "GET" : "POST";
    const sent = traceparent === undefined ? headers : { ...headers, traceparent };
    const init = { method, headers: sent, signal, body: body === undefined ? undefined : JSON.stringify(body) };
    // Bun's 5-minute timeout is off, because the node enforces deadlines.
    const response = await fetch(base + path, { ...init, timeout: false }).catch((cause: unknown) => {
      throw signal.aborted ? signal.reason : unreachable(cause, setting);
    });
    if (response.ok) return response;
    const failure = await response.json().catch(() => undefined);
    throw upstreamFailure(response.status, failure, response.headers.get("retry-after"));
  };

  const describeTei = async (signal: AbortSignal): Promise<ListedModel | undefined> => {
    const { model_id, model_sha, max_input_length } = (await (await call("/info", signal)).json()) as TeiInfo;
    return model_id ? { id: model_id, root: model_sha ?? undefined, max_model_len: max_input_length } : undefined;
  };

  return {
    /** The server's address without a path. */
    base,
    call,
    /** The server's models. `isTei`: whether the server is TEI, whose routes differ from OpenAI's. */
    list: async (signal: AbortSignal): Promise<{ listed: ListedModel[]; isTei: boolean }> => {
      try {
        const { data } = (await (await call("/v1/models", signal)).json()) as { data?: ListedModel[] };
        return { listed: data ?? [], isTei: false };
      } catch (error) {
        const tei = await describeTei(signal).catch(() => undefined);
        if (tei) return { listed: [tei], isTei: true };
        throw error;
      }
    },
    /** Token ids of a text, or of messages and tools. Throws upstream_error if the server doesn't return any. */
    tokenize: async (
      model: string,
      input: { text: string } | { messages: unknown[]; tools?: unknown },
    ): Promise<number[]> => {
      // vLLM and SGLang read `prompt`, llama-server `content`, TEI `inputs`.
      const fields = "text" in input ? { prompt: input.text, content: input.text, inputs: input.text } : input;
      const answer = (await (await call("/tokenize", closing.signal, { model, ...fields })).json()) as Tokens;
      const tokens = Array.isArray(answer) ? answer[0]?.map(({ id }) => id) : answer.tokens;
      if (!Array.isArray(tokens)) throw brokenAnswer("returned no tokens");
      return tokens;
    },
    /** Retries `work` until it succeeds or the upstream is closed. */
    reach: async (work: (signal: AbortSignal) => Promise<void>, log: Log): Promise<void> => {
      for (let attempt = 0; !closing.signal.aborted; attempt++) {
        try {
          await work(closing.signal);
          return;
        } catch (error) {
          if (attempt % 30 === 0) log.warn({ err: error }, `waiting for the server at ${base}`);
          await sleep(RETRY_MS, undefined, { signal: closing.signal });
        }
      }
    },
    close: () => closing.abort(),
  };
};

/** A revision: 12 hex digits of the hash of the server's description of the model. */
export const revisionOf = ({ id, root, meta }: ListedModel): string =>
  createHash("sha256").update(JSON.stringify({ id, root, meta })).digest("hex").slice(0, 12);

/**
 * Splits a request's token count among its texts in proportion to their lengths, because servers only count whole
 * requests.
 */
export const shareTokens = (total: number, lengths: readonly number[]): number[] => {
  const all = lengths.reduce((sum, length) => sum + length, 0) || 1;
  let before = 0;
  return lengths.map((length) => {
    const start = Math.round((total * before) / all);
    before += length;
    return Math.round((total * before) / all) - start;
  });
};

const KINDS: Record<number, ErrorKind> = {
  400: "invalid_request",
  404: "model_not_found",
  413: "payload_too_large",
  422: "invalid_request",
  429: "overloaded",
  503: "unavailable",
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** Matches errors of vLLM, SGLang, llama-server and TEI for a prompt that is too long. Captures the context length. */
const OVERFLOW =
  /(?:maximum context length (?:is|of)|maximum model length of|context length|available context size|must have less than) \(?(\d+)/;

/** Converts the server's error; known errors get our own message. `body` is the parsed JSON, if any. */
export const upstreamFailure = (status: number, body: unknown, retryAfter: string | null = null): AppError => {
  // OpenAI: {error: {message, param, code}}. Older vLLM: the same fields without the outer object. TEI: {error:
  // message}.
  const error = isObject(body) && isObject(body.error) ? body.error : isObject(body) ? body : {};
  const message = text(error.message) ?? text(error.error);
  const contextTokens = OVERFLOW.exec(message ?? "")?.[1];
  if (message !== undefined && contextTokens !== undefined) {
    const what = message.replace(/^This model's maximum context length is \d+ tokens\.?\s*/, "");
    return contextOverflow(Number(contextTokens), what || "The prompt is longer.", text(error.param));
  }
  const kind = KINDS[status];
  if (kind === undefined || message === undefined) return unreadable(status, body);
  const seconds = Number(retryAfter);
  return new AppError(kind, message, {
    param: text(error.param),
    retryAfterMs: retryAfter !== null && seconds >= 0 ? seconds * 1000 : undefined,
  });
};

const unreadable = (status: number, cause: unknown): AppError => {
  const message =
    status === 401 || status === 403
      ? "The server behind this node rejects the node's key. Set GROUNDWIRE_NODE_ENGINE_KEY, GROUNDWIRE_NODE_EMBEDDER_KEY or GROUNDWIRE_NODE_RERANKER_KEY."
      : `The server behind this node failed (${status}). Try again, or check its log.`;
  return new AppError("upstream_error", message, { cause });
};

export const brokenAnswer = (what: string, cause?: unknown): AppError =>
  new AppError("upstream_error", `The server behind this node ${what}. Try again.`, { cause });

/** `setting` is the name of the setting with its address. */
const unreachable = (cause: unknown, setting: string): AppError =>
  new AppError("unavailable", `The server behind this node can't be reached. Is it running? See ${setting}.`, {
    retryAfterMs: 1000,
    cause,
  });
