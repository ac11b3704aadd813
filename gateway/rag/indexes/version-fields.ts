import type { VersionRow } from "../../../db/indexes";
import { AppError } from "../../../lib/errors";
import type { Models, ResolvedModel } from "../../models/registry";
import type { Principal } from "../../principal";
import { CHUNKER } from "../ingest/chunk/chunk";
import type { BuildVersion, Chunking } from "./contract";
import { DEFAULT_CHUNK_TOKENS, DEFAULT_OVERLAP } from "./defaults";

type VersionFields = Pick<
  VersionRow,
  "embeddingModel" | "embeddingModelRevision" | "dimension" | "chunker" | "chunkTokens" | "overlapTokens"
>;

/**
 * The fields of a new version: the model as the nodes report it now, and the chunking. Throws model_not_found,
 * invalid_request, and unavailable if no node has reported the model.
 */
export const versionFields = (
  models: Pick<Models, "get" | "resolve">,
  principal: Principal,
  { embedding_model, chunking }: BuildVersion,
): VersionFields => {
  const { id, revision, dimensions } = resolve(models, principal, embedding_model);
  const { context_window } = models.get(principal, id);
  if (dimensions === null) {
    throw new AppError("invalid_request", `The node does not report the vector length of "${id}". Use another model.`, {
      param: "embedding_model",
    });
  }
  const { chunk_tokens, overlap_tokens } = chunking ?? defaultChunking(context_window);
  assertChunking({ chunk_tokens, overlap_tokens }, id, context_window);
  return {
    embeddingModel: id,
    embeddingModelRevision: revision,
    dimension: dimensions,
    chunker: CHUNKER,
    chunkTokens: chunk_tokens,
    overlapTokens: overlap_tokens,
  };
};

/** The settings of an index that is created without any. */
export interface IndexDefaults {
  /** Embedding models that the caller may use, the default first. Empty until a node has reported. */
  models: string[];
  chunking: Chunking;
}

export const indexDefaults = (models: Pick<Models, "list">, principal: Principal): IndexDefaults => {
  const usable = models.list(principal).filter(({ kind }) => kind === "embedding");
  const sorted = usable.toSorted((one, other) => Number(other.default) - Number(one.default));
  const window = sorted[0]?.context_window ?? DEFAULT_CHUNK_TOKENS;
  return { models: sorted.map(({ id }) => id), chunking: defaultChunking(window) };
};

const resolve = (models: Pick<Models, "resolve">, principal: Principal, name: string | undefined): ResolvedModel => {
  try {
    const model = models.resolve(principal, "embedding", name);
    if (model.isKnown) return model;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new AppError(error.kind, error.message, { ...error.detail, param: "embedding_model" });
  }
  throw new AppError("unavailable", "No GPU node has reported its models yet. Try again in a moment.", {
    retryAfterMs: 1000,
  });
};

const defaultChunking = (contextWindow: number): Chunking => {
  const chunk_tokens = Math.min(DEFAULT_CHUNK_TOKENS, contextWindow);
  return { chunk_tokens, overlap_tokens: Math.floor(chunk_tokens * DEFAULT_OVERLAP) };
};

const assertChunking = ({ chunk_tokens, overlap_tokens }: Chunking, model: string, contextWindow: number): void => {
  if (chunk_tokens > contextWindow) {
    throw new AppError(
      "invalid_request",
      `chunking.chunk_tokens must be ${contextWindow} or less, not ${chunk_tokens}: that is the context window of "${model}".`,
      { param: "chunking.chunk_tokens" },
    );
  }
  if (overlap_tokens >= chunk_tokens) {
    throw new AppError(
      "invalid_request",
      `chunking.overlap_tokens must be less than chunk_tokens (${chunk_tokens}), not ${overlap_tokens}.`,
      { param: "chunking.overlap_tokens" },
    );
  }
};
