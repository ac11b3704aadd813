import { canonicalHash } from "../../../lib/canonical-json";
import type { Call } from "../../call";
import { samplingBypass } from "../../chat/request";
import type { Models, ResolvedModel } from "../../models/registry";
import type { PromptService } from "../../prompts/service";
import type { RetrievalSettings } from "../../retrieval-contract";
import type { RagQuery } from "../contract";
import { mergeRetrieval } from "../indexes/defaults";
import { DEFAULT_TEMPLATE, type Template } from "./prompt";
import { findQueryReranker } from "./rerank";
import type { Indexes, OpenIndex } from "./retrieve";

export interface PlanDeps {
  indexes: Indexes;
  models: Pick<Models, "resolve" | "list">;
  prompts: Pick<PromptService, "resolve">;
}

/** A query with its index, settings, model and prompt. */
export interface QueryPlan {
  body: RagQuery;
  index: OpenIndex;
  settings: RetrievalSettings;
  /** null without reranking, or if the index's rerank model has disappeared. */
  reranker: ResolvedModel | null;
  /** null if no answer is requested. */
  model: (ResolvedModel & { window: number | null }) | null;
  template: Template;
  maxTokens: number;
  temperature: number;
}

/** Default maximum length of an answer in tokens. Without one, a small model may never stop. */
const DEFAULT_MAX_TOKENS = 512;

/** Throws not_found if the index or prompt doesn't exist, model_not_found and invalid_request. */
export const planQuery = async (
  { indexes, models, prompts }: PlanDeps,
  { principal }: Call,
  body: RagQuery,
): Promise<QueryPlan> => {
  const index = await indexes.open(principal, body.index);
  const settings = mergeRetrieval(index.retrieval, body.retrieval);
  const reranker = findQueryReranker(models, principal, settings, body.retrieval);
  const prompt = body.prompt === undefined ? undefined : await prompts.resolve(body.prompt);
  const resolved = body.generate === false ? null : models.resolve(principal, "chat", body.model);
  const window = models.list(principal).find(({ id }) => id === resolved?.id)?.context_window ?? null;
  return {
    body,
    index,
    settings,
    reranker,
    model: resolved && { ...resolved, window },
    template: prompt ? { reference: `${prompt.name}@${prompt.version}`, messages: prompt.messages } : DEFAULT_TEMPLATE,
    maxTokens: body.max_tokens ?? DEFAULT_MAX_TOKENS,
    temperature: body.temperature ?? 0,
  };
};

/** Why the answer can't be cached; undefined if the same query always gives the same answer. */
export const cacheBypass = ({ body, model, reranker, temperature }: QueryPlan): string | undefined => {
  if (reranker?.isKnown === false) return "the rerank model's revision is not known yet";
  if (model === null) return undefined;
  if (!model.isKnown) return "the model's revision is not known yet";
  return samplingBypass({ messages: [], temperature, seed: body.seed });
};

/** Everything that affects an answer, in a fixed order. The index's revision stands for its content and settings. */
export const cacheParts = (plan: QueryPlan): Record<string, unknown> => {
  const { body, index, settings, reranker, model, template, maxTokens, temperature } = plan;
  return {
    operation: "rag",
    index: index.id,
    index_revision: index.revision,
    index_version: index.version,
    question: body.question,
    messages: body.history ?? [],
    filter: body.filter,
    retrieval: settings,
    ...(reranker && { reranker: reranker.id, reranker_revision: reranker.revision }),
    ...(model && {
      grounding: body.grounding !== false,
      model: model.id,
      revision: model.revision,
      template: template.reference,
      template_hash: canonicalHash(template.messages),
      max_tokens: maxTokens,
      temperature,
      seed: body.seed,
    }),
  };
};
