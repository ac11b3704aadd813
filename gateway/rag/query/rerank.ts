import { AppError, type ErrorKind, toAppError } from "../../../lib/errors";
import type { Call } from "../../call";
import type { Models, ResolvedModel } from "../../models/registry";
import type { Principal } from "../../principal";
import type { Ranking, RankingRequest } from "../../rerank/service";
import type { RetrievalOverrides, RetrievalSettings } from "../../retrieval-contract";
import { DEFAULT_RERANK_CANDIDATES } from "../indexes/defaults";
import type { Chunks, Hit } from "./hits";

export interface RerankDeps {
  chunks: Chunks;
  /** Scores documents by their relevance to a query. */
  reranking: { rank(call: Call, request: RankingRequest): Promise<Pick<Ranking, "scores">> };
}

/**
 * The rerank model in these settings; null without reranking. Throws what `Models.resolve` throws, naming the setting.
 */
export const findReranker = (
  models: Pick<Models, "resolve">,
  principal: Principal,
  { rerank, rerank_model: name }: Pick<RetrievalSettings, "rerank" | "rerank_model">,
): ResolvedModel | null => {
  if (!rerank) return null;
  try {
    return models.resolve(principal, "rerank", name ?? undefined);
  } catch (thrown) {
    const { kind, message, detail } = toAppError(thrown);
    throw new AppError(kind, message, { ...detail, param: name ? "retrieval.rerank_model" : "retrieval.rerank" });
  }
};

/**
 * As `findReranker`, but null if a model that only the index's settings ask for has disappeared: the search goes on
 * without it.
 */
export const findQueryReranker = (
  models: Pick<Models, "resolve">,
  principal: Principal,
  settings: RetrievalSettings,
  { rerank, rerank_model }: RetrievalOverrides = {},
): ResolvedModel | null => {
  try {
    return findReranker(models, principal, settings);
  } catch (thrown) {
    if (rerank || rerank_model || toAppError(thrown).kind !== "model_not_found") throw thrown;
    return null;
  }
};

export interface Reranked {
  /** The reranked candidates by their new scores, then the other hits in their original order. */
  hits: Hit[];
  /** False if the reranker failed or has disappeared, which leaves the hits unchanged. */
  isReranked: boolean;
  /** Whether candidates were deleted since the search. */
  mayBeOutdated: boolean;
  ms: number;
}

/** Errors of the reranker after which the search continues without it. */
const OUTAGES: ReadonlySet<ErrorKind> = new Set([
  "unavailable",
  "model_loading",
  "model_not_found",
  "overloaded",
  "upstream_error",
]);

/** Scores the best candidates of a search with a rerank model. Throws what `rank` throws, except for outages. */
export const rerankHits = async (
  deps: RerankDeps,
  call: Call,
  index: Parameters<Chunks["read"]>[0],
  { rerank_model: model, rerank_candidates: count = DEFAULT_RERANK_CANDIDATES, top_k }: RetrievalSettings,
  text: string,
  hits: readonly Hit[],
): Promise<Reranked> => {
  const startedAt = performance.now();
  const candidates = hits.slice(0, Math.max(count, top_k));
  const rows = await deps.chunks.read(
    index,
    candidates.map(({ id }) => id),
  );
  const texts = new Map(rows.map((row) => [row.id, row.text]));
  const found = candidates.flatMap((hit) => {
    const document = texts.get(hit.id);
    return document === undefined ? [] : [{ hit, document }];
  });
  const documents = found.map(({ document }) => document);
  const scores = documents.length === 0 ? [] : await scoreTexts(deps, call, model ?? undefined, text, documents);
  const others = hits.slice(candidates.length);
  const ranked = scores
    ? found.map(({ hit }, at) => ({ ...hit, scores: { ...hit.scores, rerank: scores[at] ?? 0 } }))
    : found.map(({ hit }) => hit);
  return {
    hits: [...ranked.sort((a, b) => (b.scores.rerank ?? 0) - (a.scores.rerank ?? 0)), ...others],
    isReranked: scores !== null,
    mayBeOutdated: found.length < candidates.length,
    ms: performance.now() - startedAt,
  };
};

/** Scores of the texts; null during an outage. If the question is too long for the model, only its end is used. */
const scoreTexts = async (
  { reranking }: RerankDeps,
  call: Call,
  model: string | undefined,
  text: string,
  documents: readonly string[],
): Promise<number[] | null> => {
  for (let query = text; ; query = query.slice(Math.ceil(query.length / 2)).toWellFormed()) {
    try {
      return (await reranking.rank(call, { model, query, documents, truncate: true })).scores;
    } catch (thrown) {
      const { kind } = toAppError(thrown);
      if (OUTAGES.has(kind)) return null;
      if (kind !== "context_length_exceeded" || query.length < 2) throw thrown;
    }
  }
};
