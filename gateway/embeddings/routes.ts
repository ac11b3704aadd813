import { setImmediate as nextTurn } from "node:timers/promises";
import { Elysia } from "elysia";
import { AppError } from "../../lib/errors";
import { cacheHeaders } from "../cache/headers";
import { auth } from "../http/auth";
import { callOf } from "../http/call";
import { serverTiming } from "../http/response-headers";
import { allows, direct, dropsNul, fails, generates, servesWorkers } from "../http/route-facts";
import { hasRole, type Principal } from "../principal";
import { type Embedding, EmbeddingList, EmbeddingRequest, TokenCounts, TokenizeRequest } from "./contract";
import type { EmbeddingService, Embeddings } from "./service";
import type { TokenCounter } from "./tokens";
import { toNumbers } from "./vectors";

interface Services {
  embeddings: EmbeddingService;
  tokens: TokenCounter;
}

/** `POST /v1/embeddings`, in OpenAI's format, and `POST /v1/tokenize`. */
export const embeddingRoutes = ({ embeddings, tokens }: Services) =>
  new Elysia({ name: "embeddings.routes", prefix: "/v1", tags: ["Embeddings"] })
    .use(auth)
    .post("/tokenize", ({ body, principal, exchange }) => tokens.count(callOf(exchange, principal), body), {
      body: TokenizeRequest,
      response: { 200: TokenCounts },
      detail: {
        ...allows("member"),
        summary: "Count the tokens of texts, as a model reads them",
        ...generates,
        ...dropsNul,
        ...servesWorkers,
      },
    })
    .post(
      "/embeddings",
      async ({ body, principal, exchange }): Promise<Response> => {
        if (body.store) refuseStore(principal);
        const answer = await embeddings.embed(callOf(exchange, principal), body);
        const headers = cacheHeaders(answer.cache);
        headers["x-retries"] = String(answer.retries);
        headers["server-timing"] = serverTiming({ queue: answer.queueMs, total: answer.totalMs });
        headers["content-type"] = "application/json; charset=utf-8";
        return exchange.respond(await toJson(answer, body, exchange.requestId), headers);
      },
      {
        body: EmbeddingRequest,
        response: { 200: EmbeddingList },
        detail: {
          ...allows("member"),
          summary: "Embed texts, in OpenAI's format",
          description:
            "With `store`, the vectors are also stored in an index. That requires the role editor, and returns 501 in this version.",
          ...generates,
          ...direct,
          ...servesWorkers,
          ...dropsNul,
          ...fails(501),
        },
      },
    );

const refuseStore = ({ role, keyName }: Principal): never => {
  if (!hasRole(role, "editor")) {
    throw new AppError(
      "insufficient_role",
      `Storing vectors requires the role editor; the key "${keyName}" has the role ${role}.`,
      {
        param: "store",
      },
    );
  }
  throw new AppError("not_implemented", "store is not implemented in this version. Leave it out.", {
    param: "store",
  });
};

/** Number of vectors written before other requests get a turn. Writing them takes a few milliseconds. */
const VECTORS_PER_TURN = 32;

/** OpenAI's JSON, written piece by piece: serialising thousands of vectors in one step would block other requests. */
const toJson = async (
  { vectors, model, modelRevision, promptTokens, hits, misses }: Embeddings,
  { encoding_format: format = "float" }: EmbeddingRequest,
  requestId: string,
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
    stored: null,
    request_id: requestId,
  };
  return `${JSON.stringify(rest).slice(0, -1)},"data":[${items.join(",")}]}`;
};
