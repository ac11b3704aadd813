import { Elysia } from "elysia";
import { newId } from "../../lib/ids";
import { serverTiming } from "../../lib/server-timing";
import { cacheHeaders } from "../cache/headers";
import { auth } from "../http/auth";
import { callOf } from "../http/call";
import { allows, direct, dropsNul, generates } from "../http/route-facts";
import { RerankList, RerankRequest } from "./contract";
import type { Ranking, Reranking } from "./service";

/** `POST /v1/rerank`, in the format that Jina, Cohere and vLLM share. */
export const rerankRoutes = ({ reranking }: { reranking: Reranking }) =>
  new Elysia({ name: "rerank.routes", prefix: "/v1", tags: ["Reranking"] }).use(auth).post(
    "/rerank",
    async ({ body, principal, exchange }): Promise<Response> => {
      const { model, query, truncate = false } = body;
      const documents = body.documents.map(textOf);
      const ranking = await reranking.rank(callOf(exchange, principal), { model, query, documents, truncate });
      const headers = cacheHeaders(ranking.cache);
      headers["x-retries"] = String(ranking.retries);
      headers["server-timing"] = serverTiming({ queue: ranking.queueMs, total: ranking.totalMs });
      headers["content-type"] = "application/json; charset=utf-8";
      return exchange.respond(JSON.stringify(toList(ranking, body, documents, exchange.requestId)), headers);
    },
    {
      body: RerankRequest,
      response: { 200: RerankList },
      detail: {
        ...allows("member"),
        summary: "Sort documents by relevance to a query, in the format of Jina and Cohere",
        description: "Requires a rerank model on a node; a default installation has none.",
        ...generates,
        ...direct,
        ...dropsNul,
      },
    },
  );

const textOf = (document: RerankRequest["documents"][number]): string =>
  typeof document === "string" ? document : document.text;

const toList = (
  { model, modelRevision, scores, promptTokens, cache }: Ranking,
  { top_n = scores.length, return_documents: withDocuments = false }: RerankRequest,
  documents: readonly string[],
  requestId: string,
): RerankList => ({
  id: newId("rerank"),
  model,
  model_revision: modelRevision,
  results: scores
    .map((relevance_score, index) => ({ index, relevance_score }))
    .sort((a, b) => b.relevance_score - a.relevance_score || a.index - b.index)
    .slice(0, top_n)
    .map((result) => (withDocuments ? { ...result, document: { text: documents[result.index] ?? "" } } : result)),
  usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
  cache,
  request_id: requestId,
});
