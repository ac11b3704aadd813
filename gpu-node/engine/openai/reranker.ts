import type { Config } from "../../../lib/config";
import type { Log } from "../../../lib/log";
import type { NodeModel } from "../../protocol";
import { RERANK_CAPABILITIES } from "../capabilities";
import { findModel, type RankedDocument, type Reranker } from "../engine";
import { type RerankParameters, readRerankParameters } from "../parameters";
import { brokenAnswer, createUpstream, revisionOf, shareTokens } from "./upstream";

interface Scored {
  index?: number;
  relevance_score?: number;
  /** The field's name in TEI and SGLang. */
  score?: number;
}

/** vLLM, Infinity and llama-server return `results`; TEI and SGLang return a bare list. */
type Answer = Scored[] | { results?: Scored[]; usage?: { prompt_tokens?: number; total_tokens?: number } | null };

/** The fields of TEI's `/rerank`. */
const teiBody = ({ query, documents, truncate }: RerankParameters) => ({
  ...{ query, texts: documents, truncate },
  ...{ raw_scores: false, return_text: false },
});

/** The fields of `/v1/rerank`. Infinity always truncates. For vLLM, -1 means the model's own limit. */
const commonBody = ({ query, documents, truncate }: RerankParameters, model: string) => ({
  ...{ model, query, documents, return_documents: false },
  ...(truncate && { truncate_prompt_tokens: -1 }),
});

/** Ranked with every model at startup, because servers don't list which models can rerank. */
const PROBE: RerankParameters = { query: "rank", documents: ["rank"], truncate: true };

/** Rerank models of another server on this machine: TEI, Infinity, vLLM or SGLang. */
export const createOpenAiReranker = ({ node }: Config, log: Log): Reranker => {
  const { rerankerUrl, rerankerKey, embedderSlots, contextTokens } = node;
  const upstream = createUpstream("GROUNDWIRE_NODE_RERANKER_URL", rerankerUrl, rerankerKey, embedderSlots);
  const { base, call } = upstream;
  let models: NodeModel[] = [];
  let isTei = false;

  const rank = async (model: string, request: RerankParameters, signal: AbortSignal): Promise<RankedDocument[]> => {
    const response = await (isTei
      ? call("/rerank", signal, teiBody(request))
      : call("/v1/rerank", signal, commonBody(request, model)));
    const answer = (await response.json().catch(() => undefined)) as Answer | undefined;
    return readAnswer(answer, request, Number(response.headers.get("x-compute-tokens") ?? 0));
  };

  /** The server's models that can rerank. */
  const findModels = async (signal: AbortSignal): Promise<NodeModel[]> => {
    const found = await upstream.list(signal);
    isTei = found.isTei;
    const usable: NodeModel[] = [];
    for (const model of found.listed) {
      const { id, max_model_len, meta } = model;
      const error = await rank(id, PROBE, signal).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error !== undefined) {
        log.warn({ err: error, model: id }, "this model can't rerank");
        continue;
      }
      const context_window = max_model_len ?? meta?.n_ctx_train ?? contextTokens;
      usable.push({
        ...{ id, kind: "rerank", revision: revisionOf(model), context_window },
        capabilities: RERANK_CAPABILITIES,
      });
    }
    if (usable.length === 0) throw brokenAnswer("has no rerank model");
    return usable;
  };

  return {
    name: `openai ${base}`,
    load: (onProgress) =>
      upstream.reach(async (signal) => {
        models = await findModels(signal);
        onProgress(1);
      }, log),
    models: () => models,
    accept: async ({ body, signal }) => {
      const request = readRerankParameters(body);
      const model = findModel(models, request.model);
      return {
        model,
        documents: request.documents.length,
        start: async function* () {
          yield* await rank(model.id, request, signal);
        },
      };
    },
    tokenize: async (name, text) => upstream.tokenize(findModel(models, name).id, { text }),
    close: async () => upstream.close(),
  };
};

const isProbability = (score: unknown): score is number => typeof score === "number" && score >= 0 && score <= 1;

/** Checks that every document has a score in 0…1, so that thresholds work. Throws upstream_error. */
const readAnswer = (
  answer: Answer | undefined,
  { query, documents }: RerankParameters,
  countedTokens: number,
): RankedDocument[] => {
  const list = Array.isArray(answer);
  const usage = list ? undefined : answer?.usage;
  const total = usage?.total_tokens ?? usage?.prompt_tokens ?? countedTokens;
  const tokens = shareTokens(
    total,
    documents.map((text) => query.length + text.length),
  );
  const scores = new Map<number, number>();
  const entries: unknown = list ? answer : answer?.results;
  if (!Array.isArray(entries)) throw brokenAnswer("returned no list of results");
  for (const entry of entries as (Scored | null)[]) {
    const { index = -1, relevance_score, score = relevance_score } = entry ?? {};
    if (!isProbability(score)) throw brokenAnswer("returned a relevance score that is not between 0 and 1");
    scores.set(index, score);
  }
  return documents.map((_, index) => {
    const score = scores.get(index);
    if (score === undefined) throw brokenAnswer("returned no score for some of the documents");
    return { index, score, tokens: tokens[index] ?? 0 };
  });
};
