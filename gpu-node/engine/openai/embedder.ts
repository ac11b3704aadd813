import type { Config } from "../../../lib/config";
import type { Log } from "../../../lib/log";
import { decodeVector, normalise } from "../../../lib/vectors";
import { findCatalogueModel, withPrefixes } from "../../models/catalogue";
import type { NodeModel } from "../../protocol";
import { embeddingCapabilities } from "../capabilities";
import { type Embedder, type Embedding, findModel } from "../engine";
import { brokenAnswer, createUpstream, revisionOf, shareTokens } from "./upstream";

/** The fields of a `/v1/embeddings` response that are used. */
interface Answer {
  data?: { index?: number; embedding?: unknown }[];
  usage?: { prompt_tokens?: number; total_tokens?: number } | null;
}

/** Text that is embedded at startup, because servers don't list which models can embed or how long vectors are. */
const PROBE = "dimensions";

/**
 * Embeddings by an OpenAI-compatible server on the machine: TEI, Infinity, vLLM, llama-server. Parameters are forwarded
 * unchanged, except for the encoding, which the node chooses.
 */
export const createOpenAiEmbedder = ({ node, models: settings }: Config, log: Log): Embedder => {
  const { embedderUrl, embedderKey, embedderSlots, contextTokens } = node;
  const upstream = createUpstream("GROUNDWIRE_NODE_EMBEDDER_URL", embedderUrl, embedderKey, embedderSlots);
  const { base, call } = upstream;
  let models: NodeModel[] = [];

  const request = async (body: Record<string, unknown>, signal: AbortSignal): Promise<Embedding[]> => {
    const response = await call("/v1/embeddings", signal, { ...body, encoding_format: "base64" });
    const answer = (await response.json().catch(() => undefined)) as Answer | undefined;
    return readAnswer(answer, textsOf(body.input));
  };

  /** Whether the server shortens vectors. Some servers reject `dimensions`, and others ignore it. */
  const canShorten = async (model: string, length: number, signal: AbortSignal): Promise<boolean> => {
    const dimensions = Math.floor(length / 2);
    if (dimensions === 0) return false;
    const [probe] = await request({ model, input: PROBE, dimensions }, signal).catch(() => []);
    return probe?.vector.length === dimensions;
  };

  /** The models that can embed; a server may have others too. */
  const findModels = async (signal: AbortSignal): Promise<NodeModel[]> => {
    const found: NodeModel[] = [];
    const { listed } = await upstream.list(signal);
    for (const model of listed) {
      const { id, max_model_len, meta } = model;
      const [probe] = await request({ model: id, input: PROBE }, signal).catch((error: unknown) => {
        log.warn({ err: error, model: id }, "this model can't compute embeddings");
        return [];
      });
      if (!probe) continue;
      const context_window = max_model_len ?? meta?.n_ctx_train ?? contextTokens;
      const dimensions = probe.vector.length;
      const revision = withPrefixes(revisionOf(model), settings, findCatalogueModel(nameOf(id))?.prefixes);
      const capabilities = embeddingCapabilities(await canShorten(id, dimensions, signal));
      found.push({ id, kind: "embedding", ...revision, context_window, dimensions, capabilities });
    }
    if (found.length === 0) throw brokenAnswer("has no embedding model");
    return found;
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
      const model = findModel(models, typeof body.model === "string" ? body.model : undefined);
      return {
        model,
        inputs: textsOf(body.input).length,
        start: async function* () {
          yield* await request({ ...body, model: model.id }, signal);
        },
      };
    },
    tokenize: async (name, text) => upstream.tokenize(findModel(models, name).id, { text }),
    close: async () => upstream.close(),
  };
};

/** "BAAI/bge-small-en-v1.5" is "bge-small-en-v1.5" in the catalogue. */
const nameOf = (id: string): string => id.slice(id.lastIndexOf("/") + 1).toLowerCase();

/** The inputs of a request, which the server validates. Anything that isn't a list is one input. */
const textsOf = (input: unknown): unknown[] => (Array.isArray(input) && typeof input[0] !== "number" ? input : [input]);

const lengthOf = (text: unknown): number => (typeof text === "string" || Array.isArray(text) ? text.length : 1);

/** Checks that every input got its vector. Throws upstream_error. */
const readAnswer = (answer: Answer | undefined, texts: readonly unknown[]): Embedding[] => {
  const total = answer?.usage?.prompt_tokens ?? answer?.usage?.total_tokens ?? 0;
  const tokens = shareTokens(total, texts.map(lengthOf));
  const embeddings = new Map<number, Embedding>();
  for (const [place, item] of (answer?.data ?? []).entries()) {
    const index = item.index ?? place;
    const vector = decodeVector(item.embedding);
    if (!vector || vector.length === 0) throw brokenAnswer("returned an invalid vector");
    embeddings.set(index, { index, vector: normalise(vector), tokens: tokens[index] ?? 0 });
  }
  if (!texts.every((_, index) => embeddings.has(index))) throw brokenAnswer("returned no vector for some of the texts");
  return [...embeddings.values()];
};
