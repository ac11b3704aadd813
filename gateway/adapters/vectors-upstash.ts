import { setTimeout } from "node:timers/promises";
import { Index, type Requester, type UpstashRequest, type UpstashResponse } from "@upstash/vector";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { Metadata } from "../ports/metadata-filter";
import type { StoredVector, VectorStore } from "../ports/vectors";
import { upstashFilter } from "./vectors-upstash-filter";

/** Upstash's limit on vectors per upsert and ids per deletion. */
const MAX_BATCH = 1000;

export interface UpstashOptions {
  url: string;
  token: string;
  /** Timeout per attempt. */
  timeoutMs?: number;
  /** Wait before the second attempt. It doubles with each further attempt. */
  backoffMs?: number;
}

/** The configured store; undefined: vectors are searched in the gateway's memory. */
export const configuredVectors = ({ vectorUrl: url, vectorToken: token }: Config["store"]): VectorStore | undefined =>
  url && token ? upstashVectors({ url, token }) : undefined;

/** Upstash Vector, through its REST API. The index must use cosine similarity and the embedding model's dimension. */
export const upstashVectors = (options: UpstashOptions): VectorStore => {
  const requester = retryingRequester(options);
  const index = new Index<Record<string, unknown>>(requester);

  return {
    id: options.url,
    check: async () => {
      const { similarityFunction } = await index.info();
      if (similarityFunction === "COSINE") return;
      const message = `The Upstash index uses the similarity function ${similarityFunction}. Create one that uses COSINE.`;
      throw new AppError("upstream_error", message);
    },
    upsert: async (namespace, vectors) => {
      for (const batch of inBatches(vectors)) await index.namespace(namespace).upsert(batch.map(toUpstash));
    },
    delete: async (namespace, selection) => {
      if ("prefix" in selection) return (await index.namespace(namespace).delete(selection)).deleted;
      let deleted = 0;
      for (const batch of inBatches(selection.ids)) deleted += (await index.namespace(namespace).delete(batch)).deleted;
      return deleted;
    },
    query: async (namespace, { vector, topK, filter }) => {
      const text = filter ? upstashFilter(filter) : "";
      const query = { vector: Array.from(vector), topK, ...(text === "" ? {} : { filter: text }) };
      const matches = await index.namespace(namespace).query(query);
      // Upstash's score is (1 + cosine) / 2.
      return matches.map(({ id, score }) => ({ id: String(id), score: 2 * score - 1 }));
    },
    range: async (namespace, { cursor, limit }) => {
      const page = { cursor: cursor ?? "", limit, includeVectors: true, includeMetadata: true };
      const { vectors, nextCursor } = await index.namespace(namespace).range(page);
      return {
        cursor: nextCursor === "" ? null : nextCursor,
        vectors: vectors.map(({ id, vector = [], metadata = {} }) => ({
          id: String(id),
          vector: Float32Array.from(vector),
          metadata: metadata as Metadata,
        })),
      };
    },
    drop: async (namespace) => {
      try {
        await index.deleteNamespace(namespace);
      } catch (error) {
        if (!(error instanceof AppError) || error.kind !== "not_found") throw error;
      }
    },
  };
};

/** Null values aren't stored, because a filter on null looks for a missing field. */
const toUpstash = ({ id, vector, metadata }: StoredVector) => ({
  id,
  vector: Array.from(vector),
  metadata: Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null)),
});

const inBatches = <T>(items: T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / MAX_BATCH) }, (_, i) =>
    items.slice(i * MAX_BATCH, (i + 1) * MAX_BATCH),
  );

const OTHER_DIMENSION =
  "The dimension of the Upstash index differs from the embedding model's. Create an Upstash index with the model's dimension, or use another model.";

const ATTEMPTS = 4;
const MAX_WAIT_MS = 5000;

/** Retries requests, because Upstash's client only retries failed connections. All requests are idempotent. */
const retryingRequester = ({ url, token, timeoutMs = 10_000, backoffMs = 100 }: UpstashOptions): Requester => {
  const send = (path: string[], body: unknown): Promise<Response> =>
    fetch([url.replace(/\/$/, ""), ...path].join("/"), {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });

  const request = async <T>({ path = [], body }: UpstashRequest): Promise<UpstashResponse<T>> => {
    for (let attempt = 1; ; attempt++) {
      const response = await send(path, body).catch((error: unknown) => error);
      const isDone = response instanceof Response && response.status !== 429 && response.status < 500;
      if (isDone) return readResult<T>(response);
      if (attempt === ATTEMPTS) throw unavailable(response);
      await setTimeout(
        Math.min(MAX_WAIT_MS, retryAfterMs(response) ?? backoffMs * 2 ** (attempt - 1) * (0.5 + Math.random())),
      );
    }
  };
  return { request };
};

const readResult = async <T>(response: Response): Promise<UpstashResponse<T>> => {
  const body = (await response.json().catch(() => ({}))) as UpstashResponse<T>;
  if (response.ok) return body;
  const cause = new Error(`Upstash Vector answered ${response.status}: ${body.error}`);
  if (response.status === 404)
    throw new AppError("not_found", "The vector store doesn't have this namespace.", { cause });
  if (/dimension/i.test(body.error ?? "")) throw new AppError("conflict", OTHER_DIMENSION, { cause });
  const hint = response.status === 401 ? "Check UPSTASH_VECTOR_REST_TOKEN." : "The gateway's log has its reason.";
  throw new AppError(
    "upstream_error",
    `The vector store rejected the request with status ${response.status}. ${hint}`,
    {
      cause,
    },
  );
};

const unavailable = (failure: unknown): AppError => {
  const problem = failure instanceof Response ? `returned status ${failure.status}` : "can't be reached";
  return new AppError("unavailable", `The vector store ${problem} after ${ATTEMPTS} attempts. Try again in a moment.`, {
    retryAfterMs: 1000,
    cause: failure,
  });
};

const retryAfterMs = (failure: unknown): number | undefined => {
  const seconds = failure instanceof Response ? failure.headers.get("retry-after") : null;
  return seconds !== null && Number.isFinite(Number(seconds)) ? Number(seconds) * 1000 : undefined;
};
