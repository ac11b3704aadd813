import { AppError } from "../../../lib/errors";
import type { Call } from "../../call";
import { type AskedQuestion, FITTED_TO } from "../../evals/scorers/sufficiency/check-sufficiency";
import type { Principal } from "../../principal";
import type { RetrievalSettings } from "../../retrieval-contract";
import type { RagAnswer, RagQuery, RetrievedChunk } from "../contract";
import type { Hit } from "./hits";
import type { StoredChunk } from "./merge";
import { relevanceOf } from "./relevance";
import { type RerankDeps, rerankHits } from "./rerank";

/** The fields of an index that a query needs. */
export interface OpenIndex {
  id: string;
  name: string;
  revision: number;
  /** The version that is searched. */
  version: number;
  retrieval: RetrievalSettings;
  embeddingModel: string;
  embeddingModelRevision: string;
  /** The vector store in use lacks vectors of the version. */
  lacksVectors: boolean;
}

export interface Indexes {
  /**
   * Opens `version`, by default the active one. Throws not_found if the index doesn't exist or the key may not use it,
   * and conflict if the version is not ready.
   */
  open(principal: Principal, nameOrId: string, version?: number): Promise<OpenIndex>;
}

interface Embedder {
  /**
   * Embeds a question with the model's query prefix, L2-normalised. If it is too long, only its end is embedded. Also
   * returns the model's revision.
   */
  embedQuery(call: Call, model: string, text: string): Promise<{ vector: Float32Array; revision: string }>;
}

interface SearchRequest extends Pick<RetrievalSettings, "mode" | "candidates"> {
  text: string;
  /** null in keyword mode. */
  vector: Float32Array | null;
  /** Applied before ranking. */
  filter: RagQuery["filter"] | null;
  fusion: { kind: "score"; vectorWeight: number } | { kind: "rank" };
}

export interface Search {
  /** The chunks that either retriever found, best first, in the index at this revision or a later one. */
  search(
    version: { index: string; version: number; revision: number },
    request: SearchRequest,
    signal: AbortSignal,
  ): Promise<{
    hits: Hit[];
    coverage: number | null;
    stagesMs: { filter?: number; vector?: number; keyword?: number; fusion?: number };
    /** The vector store is down, so a hybrid search used only keywords. */
    isKeywordOnly?: boolean;
  }>;
}

/** Checks off the main thread whether passages answer a question. */
export interface SufficiencyCheck {
  checkSufficiency(call: Pick<Call, "signal">, asked: AskedQuestion): Promise<string | null>;
}

export interface RetrieveDeps extends RerankDeps {
  embedder: Embedder;
  search: Search;
  scoring: SufficiencyCheck;
}

/** The result of a search, with the chunks' texts. */
export interface Retrieval {
  /** Best first. */
  chunks: StoredChunk[];
  /** The same chunks as in the response. `context` and `cited` are not known yet. */
  retrieved: RetrievedChunk[];
  threshold: RagAnswer["threshold"];
  warning: string | null;
  degraded: RagAnswer["degraded"];
  /**
   * Chunks may have been replaced or deleted after the index was opened, so that the result lacks their document. Also true if
   * nothing was found, because the whole version may have been retired.
   */
  mayBeOutdated: boolean;
  /** Something was found, and it reaches the threshold, if there is one. */
  isRelevant: boolean;
  vectorCandidates: number;
  keywordCandidates: number;
  isReranked: boolean;
  stagesMs: { embed?: number; filter?: number; vector?: number; keyword?: number; fusion?: number; rerank?: number };
}

/** Maximum characters of an earlier question that are added to the search. */
const MAX_EARLIER = 1000;

/** The last question of the history, then the question, because "And in 2019?" is not enough for a search. */
const searchTextOf = ({ question, history = [] }: Pick<RagQuery, "question" | "history">): string => {
  const previous = history.findLast(({ role }) => role === "user")?.content ?? "";
  return `${previous.slice(0, MAX_EARLIER).toWellFormed()}\n${question}`.trim();
};

/** Number of chunks that the sufficiency check reads. */
const CHECKED_CHUNKS = 5;

/** The hits of a search, without texts. */
export interface Found {
  /** Best first. */
  hits: Hit[];
  /** The largest fraction of the question's words that one of the first hits contains; null without a vector. */
  coverage: number | null;
  /** The mode of the search: keyword if the vector store is down. */
  mode: RetrievalSettings["mode"];
  isReranked: boolean;
}

/** Throws conflict if the nodes have a different revision of the model, because its vectors can't be compared. */
const embedQuestion = async (
  embedder: Embedder,
  call: Call,
  { name, version, embeddingModel: model, embeddingModelRevision: built }: OpenIndex,
  text: string,
): Promise<Float32Array> => {
  const { vector, revision } = await embedder.embedQuery(call, model, text);
  if (revision === built) return vector;
  const message =
    `The nodes have revision ${revision} of "${model}", but version ${version} of the index "${name}" was built with revision ${built}. ` +
    "Build a new version of the index and activate it. Until then, use keyword mode.";
  throw new AppError("conflict", message, { param: "index" });
};

/**
 * Searches an index, and reranks the best hits if the settings say so. `stagesMs` includes the embedding time. Throws conflict if the
 * nodes have a different revision of the embedding model than the index.
 */
export const findHits = async (
  deps: Omit<RetrieveDeps, "scoring">,
  call: Call,
  index: OpenIndex,
  settings: RetrievalSettings,
  query: Pick<RagQuery, "question" | "history" | "filter">,
): Promise<Found & Pick<Retrieval, "stagesMs" | "degraded" | "mayBeOutdated">> => {
  const { embedder, search } = deps;
  const { mode, fusion, candidates, vector_weight } = settings;
  const text = searchTextOf(query);
  const startedAt = performance.now();
  const vector = mode === "keyword" ? null : await embedQuestion(embedder, call, index, text);
  const embed = vector ? performance.now() - startedAt : undefined;
  const {
    hits,
    coverage,
    stagesMs,
    isKeywordOnly = false,
  } = await search.search(
    { index: index.id, version: index.version, revision: index.revision },
    {
      text,
      vector,
      mode,
      candidates,
      filter: query.filter ?? null,
      fusion: fusion === "score" ? { kind: fusion, vectorWeight: vector_weight } : { kind: fusion },
    },
    call.signal,
  );
  const isIncomplete = vector !== null && index.lacksVectors;
  const reranked = settings.rerank ? await rerankHits(deps, call, index, settings, text, hits) : undefined;
  const isReranked = reranked?.isReranked ?? false;
  const lacksReranking = settings.rerank && !isReranked;
  return {
    hits: reranked?.hits ?? hits,
    coverage,
    mode: isKeywordOnly ? "keyword" : mode,
    isReranked,
    degraded: isKeywordOnly
      ? "keyword_only"
      : isIncomplete
        ? "vectors_missing"
        : lacksReranking
          ? "not_reranked"
          : null,
    mayBeOutdated: reranked?.mayBeOutdated ?? false,
    stagesMs: { embed, ...stagesMs, rerank: reranked?.ms },
  };
};

/** Searches an index and reads the best `top_k` chunks. */
export const retrieve = async (
  deps: RetrieveDeps,
  call: Call,
  index: OpenIndex,
  settings: RetrievalSettings,
  query: Pick<RagQuery, "question" | "history" | "filter">,
): Promise<Retrieval> => {
  const { chunks, scoring } = deps;
  const found = await findHits(deps, call, index, settings, query);
  const { hits, mode, degraded, stagesMs } = found;
  const best = hits.slice(0, settings.top_k);
  const rows = await chunks.read(
    index,
    best.map(({ id }) => id),
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const retrieved = best.flatMap((hit) => {
    const chunk = byId.get(hit.id);
    return chunk ? [{ hit, chunk }] : [];
  });
  const threshold = compareScore(settings, found);
  const isRelevant = retrieved.length > 0 && (threshold?.passed ?? true);
  const cosine = highest(hits, "vector");
  const canCheck = isRelevant && cosine !== null && index.embeddingModel === FITTED_TO;
  const passages = retrieved.map(({ chunk }) => ({ title: chunk.documentTitle, text: chunk.text }));
  const asked = { question: query.question, passages: passages.slice(0, CHECKED_CHUNKS), cosine: cosine ?? 0 };
  return {
    chunks: retrieved.map(({ chunk }) => chunk),
    retrieved: retrieved.map(({ hit, chunk }, at) => toRetrieved(chunk, hit, mode, at + 1)),
    threshold,
    degraded,
    warning: canCheck ? await scoring.checkSufficiency(call, asked) : null,
    isReranked: found.isReranked,
    mayBeOutdated: found.mayBeOutdated || retrieved.length < best.length || best.length === 0,
    isRelevant,
    vectorCandidates: hits.filter(({ ranks }) => ranks.vector !== null).length,
    keywordCandidates: hits.filter(({ ranks }) => ranks.keyword !== null).length,
    stagesMs,
  };
};

/** The highest score of one kind; null if no hit has one. */
const highest = (hits: readonly Hit[], kind: keyof Hit["scores"]): number | null => {
  const scores = hits.flatMap(({ scores }) => scores[kind] ?? []);
  return scores.length > 0 ? Math.max(...scores) : null;
};

/** The modes that compute each score. In other modes, a threshold on that score does not apply. */
const MODES = {
  relevance: ["hybrid", "vector"],
  vector: ["hybrid", "vector"],
  fused: ["hybrid"],
  rerank: ["hybrid", "vector", "keyword"],
} as const satisfies Record<string, readonly RetrievalSettings["mode"][]>;

/** Compares the best score of all hits with the threshold; null if none applies. */
export const compareScore = (
  { threshold }: Pick<RetrievalSettings, "threshold">,
  { hits, coverage, mode, isReranked }: Found,
): RagAnswer["threshold"] => {
  const modes: readonly RetrievalSettings["mode"][] = threshold ? MODES[threshold.score] : [];
  if (!threshold || !modes.includes(mode) || (threshold.score === "rerank" && !isReranked)) return null;
  const { score, value } = threshold;
  const best = score === "relevance" ? relevanceOf(highest(hits, "vector"), coverage) : highest(hits, score);
  return { score, value, best, passed: best !== null && best >= value };
};

const FINAL_SCORE = { hybrid: "fused", vector: "vector", keyword: "keyword" } as const;

const toRetrieved = (
  chunk: StoredChunk,
  { scores, ranks }: Hit,
  mode: RetrievalSettings["mode"],
  rank: number,
): RetrievedChunk => ({
  id: chunk.id,
  document_id: chunk.documentId,
  position: chunk.position,
  text: chunk.text,
  tokens: chunk.tokens,
  start: chunk.start,
  end: chunk.end,
  heading: chunk.heading,
  page: chunk.page,
  document_title: chunk.documentTitle,
  document_hash: chunk.documentHash,
  source: chunk.source,
  metadata: chunk.metadata,
  scores: { ...scores, rerank: scores.rerank ?? null, final: scores.rerank ?? scores[FINAL_SCORE[mode]] ?? 0 },
  ranks: { ...ranks, final: rank },
  context: null,
  cited: false,
});
