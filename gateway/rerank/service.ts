import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../../lib/errors";
import type { Tracer } from "../../lib/tracing/tracer";
import type { AnswerCache } from "../cache/service";
import type { Call } from "../call";
import type { CacheReport } from "../contract";
import { computeBatches, type NodeReport, type NodeWork } from "../embeddings/batches";
import { estimateTokens, type Ledger } from "../limits/ledger";
import type { Models, ResolvedModel } from "../models/registry";
import type { Engine } from "../ports/engine";
import type { GenerationSample, Recorder } from "../ports/recorder";
import { endGeneration, endIfFailed, startGeneration } from "../tracing/generation-span";

/** Documents to score by their relevance to a query. */
export interface RankingRequest {
  /** The default rerank model if omitted. */
  model?: string;
  query: string;
  documents: readonly string[];
  /** Whether to shorten documents that are too long instead of rejecting them. */
  truncate: boolean;
}

/** The scores of a request, with its usage and timings. */
export interface Ranking extends Pick<NodeReport, "modelRevision" | "queueMs" | "retries"> {
  model: string;
  /** 0…1, in the order of the documents. */
  scores: number[];
  /** Tokens that the model read. Cached scores report the original number. */
  promptTokens: number;
  cache: CacheReport;
  /** Milliseconds since the request arrived. */
  totalMs: number;
}

/** The cached result of a request. */
interface Scores {
  scores: number[];
  tokens: number;
}

interface RerankDeps {
  engine: Engine;
  ledger: Pick<Ledger, "useModel">;
  models: Pick<Models, "resolve">;
  answers: Pick<AnswerCache, "entries">;
  recorder: Pick<Recorder, "generation">;
  tracer?: Tracer;
  /** Timeout for a complete response, in milliseconds. */
  totalMs: number;
}

interface RerankWork extends NodeWork, Omit<RankingRequest, "model"> {}

export type Reranking = ReturnType<typeof createReranking>;

/** Scores documents with the nodes' rerank models. */
export const createReranking = ({ engine, ledger, models, answers, recorder, tracer, totalMs }: RerankDeps) => {
  const reserve = ({ call, model, query, documents }: RerankWork) =>
    ledger.useModel(call, model, () => ({
      isEmbedding: true,
      promptTokens:
        documents.reduce((sum, text) => sum + estimateTokens(text), 0) + documents.length * estimateTokens(query),
      answerTokens: 0,
    }));

  /** Scores the documents on the nodes, and charges what they used to the key's limits. */
  const compute = async (work: RerankWork): Promise<Scores & { report: NodeReport }> => {
    const { documents } = work;
    const scores: number[] = [];
    let tokens = 0;
    const use = await reserve(work);
    const startedAt = performance.now();
    let report: NodeReport | undefined;
    try {
      const missing = documents.map((input, index) => ({ input, index }));
      report = await computeBatches(engine, work, missing, scoresOf(work), (index, scored) => {
        scores[index] = scored.score;
        tokens += scored.tokens;
      });
      return { scores, tokens, report };
    } finally {
      const heldMs = Math.max(0, performance.now() - startedAt - (report?.queueMs ?? 0));
      if (report || tokens > 0) use?.settle({ promptTokens: tokens, answerTokens: 0, heldMs });
      else use?.cancel();
    }
  };

  const findScores = async (work: RerankWork) => {
    const { call, model } = work;
    const { principal, directives } = call;
    const {
      values,
      report: cache,
      keep,
    } = await answers.entries(
      {
        keyId: principal.keyId,
        tags: [`model:${model.id}`],
        bypass: model.isKnown ? undefined : "the model's revision is not known yet",
        // Scores for keys without content logging are not cached either.
        directives: principal.contentLogging ? directives : { ...directives, noStore: true },
      },
      [cacheParts(work)],
    );
    const gatewayMs = performance.now() - call.receivedAt;
    const [stored] = values;
    if (stored !== undefined) return { ...(JSON.parse(stored) as Scores), cache, gatewayMs, report: undefined };
    const { report, ...computed } = await compute(work);
    await keep(0, JSON.stringify(computed));
    return { ...computed, cache, gatewayMs, report };
  };

  return {
    /** Scores documents. Throws what `Engine.request` throws, model_not_found, invalid_request and not_cached. */
    async rank(call: Call, { model: name, ...request }: RankingRequest): Promise<Ranking> {
      const model = models.resolve(call.principal, "rerank", name);
      if (call.report) call.report.model = model.id;
      const span =
        tracer &&
        startGeneration(tracer, call, { operation: "rerank", model: model.id, stream: false, parameters: {} });
      const finding = findScores({ ...request, call, model, totalMs, span, nameOf: (index) => `documents.${index}` });
      const found = await (span ? endIfFailed(span, finding) : finding);
      const elapsedMs = performance.now() - call.receivedAt;
      const sample: GenerationSample = {
        operation: "rerank",
        caller: call.principal,
        model: model.id,
        node: found.report?.node,
        stream: false,
        cache: found.cache,
        gatewayMs: found.gatewayMs,
        queueMs: found.report?.queueMs ?? 0,
        ttftMs: elapsedMs,
        totalMs: elapsedMs,
        promptTokens: found.report ? found.tokens : 0,
        completionTokens: 0,
      };
      recorder.generation(sample);
      call.report?.generated(sample);
      if (span) endGeneration(span, sample);
      return {
        model: model.id,
        modelRevision: found.report?.modelRevision ?? model.revision,
        scores: found.scores,
        promptTokens: found.tokens,
        cache: found.cache,
        queueMs: found.report?.queueMs ?? 0,
        retries: found.report?.retries ?? 0,
        totalMs: elapsedMs,
      };
    },
  };
};

/** Everything that affects the scores, as named parts in a fixed order. */
const cacheParts = ({ model, query, documents, truncate }: RerankWork & { model: ResolvedModel }) => ({
  operation: "rerank",
  model: model.id,
  revision: model.revision,
  query,
  documents,
  truncate,
});

interface ScoredDocument {
  score: number;
  tokens: number;
}

const scoresOf = ({ model, query, truncate }: RerankWork) => ({
  route: "/v1/rerank" as const,
  bodyOf: (documents: readonly string[]) => ({ model: model.id, query, documents, truncate }),
  read: readScores,
});

const NodeScores = Type.Object({
  results: Type.Array(
    Type.Object({
      index: Type.Integer({ minimum: 0 }),
      relevance_score: Type.Number({ minimum: 0, maximum: 1 }),
      tokens: Type.Integer({ minimum: 0 }),
    }),
  ),
});

/**
 * Validates a node's response and returns the scores of its `count` documents in request order. Throws upstream_error.
 */
const readScores = (json: string, count: number): ScoredDocument[] => {
  const answer = parse(json);
  const scores = new Map(
    (Value.Check(NodeScores, answer) ? answer.results : []).map(({ index, relevance_score: score, tokens }) => [
      index,
      { score, tokens },
    ]),
  );
  return Array.from({ length: count }, (_, index) => {
    const scored = scores.get(index);
    if (scored) return scored;
    throw new AppError("upstream_error", "The GPU node's scores were incomplete. Try again.", { source: "node" });
  });
};

const parse = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
};
