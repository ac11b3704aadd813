import { setImmediate as nextTurn } from "node:timers/promises";
import { Elysia } from "elysia";
import { AppError } from "../../lib/errors";
import { serverTiming } from "../../lib/server-timing";
import { cacheHeaders } from "../cache/headers";
import type { Call } from "../call";
import { auth } from "../http/auth";
import { callOf } from "../http/call";
import { allows, direct, dropsNul, fails, generates, servesWorkers } from "../http/route-facts";
import { hasRole, type Principal } from "../principal";
import {
  type Embedding,
  EmbeddingList,
  EmbeddingRequest,
  type StoreEmbeddings,
  TokenCounts,
  TokenizeRequest,
} from "./contract";
import type { EmbeddingService, Embeddings } from "./service";
import type { TokenCounter } from "./tokens";
import { toNumbers } from "./vectors";

/** Embeds texts and stores them in an index. */
interface VectorStore {
  embed(
    call: Call,
    request: EmbeddingRequest,
    store: StoreEmbeddings,
  ): Promise<{ answer: Embeddings; stored: EmbeddingList["stored"] }>;
}

interface Services {
  embeddings: EmbeddingService;
  tokens: TokenCounter;
  vectorStore: VectorStore;
}

/** `POST /v1/embeddings`, in OpenAI's format, and `POST /v1/tokenize`. */
export const embeddingRoutes = ({ embeddings, tokens, vectorStore }: Services) =>
  new Elysia({ name: "embeddings.routes", prefix: "/v1", tags: ["Embeddings"] })
    .use(auth)
    .post("/tokenize", ({ body, principal, exchange }) => tokens.count(callOf(exchange, principal), body), {
      body: TokenizeRequest,
      response: { 200: TokenCounts },
      detail: {
        ...allows("member"),
        summary: "Count the tokens of texts for a model",
        ...generates,
        ...dropsNul,
        ...servesWorkers,
      },
    })
    .post(
      "/embeddings",
      async ({ body, principal, exchange }): Promise<Response> => {
        if (body.store) assertMayStore(principal);
        const call = callOf(exchange, principal);
        const { answer, stored } = body.store
          ? await vectorStore.embed(call, body, body.store)
          : { answer: await embeddings.embed(call, body), stored: null };
        const headers = cacheHeaders(answer.cache);
        headers["x-retries"] = String(answer.retries);
        headers["server-timing"] = serverTiming({ queue: answer.queueMs, total: answer.totalMs });
        headers["content-type"] = "application/json; charset=utf-8";
        return exchange.respond(await toJson(answer, body, exchange.requestId, stored), headers);
      },
      {
        body: EmbeddingRequest,
        response: { 200: EmbeddingList },
        detail: {
          ...allows("member"),
          summary: "Embed texts, in OpenAI's format",
          description:
            "With `store`, each text also becomes a document in an index, with one chunk and the returned vector. This requires the editor role.",
          ...generates,
          ...direct,
          ...servesWorkers,
          ...dropsNul,
          ...fails(409),
        },
      },
    );

const assertMayStore = ({ role, keyName }: Principal): void => {
  if (hasRole(role, "editor")) return;
  throw new AppError(
    "insufficient_role",
    `Storing vectors requires the editor role; the key "${keyName}" has the ${role} role.`,
    { param: "store" },
  );
};

/** Number of vectors written before other requests get a turn. Writing them takes a few milliseconds. */
const VECTORS_PER_TURN = 32;

/** OpenAI's JSON, written piece by piece: serialising thousands of vectors in one step would block other requests. */
const toJson = async (
  { vectors, model, modelRevision, promptTokens, hits, misses }: Embeddings,
  { encoding_format: format = "float" }: EmbeddingRequest,
  requestId: string,
  stored: EmbeddingList["stored"],
): Promise<string> => {
  const items: string[] = [];
  for (const [index, vector] of vectors.entries()) {
    const embedding = format === "base64" ? vector.base64 : Array.from(toNumbers(vector));
    const item: Embedding = { object: "embedding", index, embedding };
    items.push(JSON.stringify(item));
    if (index % VECTORS_PER_TURN === VECTORS_PER_TURN - 1) await nextTurn();
  }
  const rest: Omit<EmbeddingList, "data"> = {
    object: "list",
    model,
    model_revision: modelRevision,
    usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
    cache: { hits, misses },
    stored,
    request_id: requestId,
  };
  return `${JSON.stringify(rest).slice(0, -1)},"data":[${items.join(",")}]}`;
};
