import { setImmediate as nextTurn } from "node:timers/promises";
import type { Config } from "../../lib/config";
import { normalise } from "../../lib/vectors";
import type { NodeModel } from "../protocol";
import type { Embedder, Embedding } from "./embedder";
import { findModel } from "./engine";
import { checkDimensions, type EmbeddingInput, inputTooLong, readEmbeddingParameters } from "./parameters";
import { failAs, readFault } from "./synthetic-faults";

const DIMENSIONS = 64;

/** A token is a word, whatever its letters' case; its id is a hash of it. */
const tokensOf = (input: EmbeddingInput): number[] =>
  typeof input === "string" ? (input.toLowerCase().match(/\S+/g) ?? []).map((word) => Bun.hash.xxHash32(word)) : input;

/** A token's hash decides its dimension and its sign, so texts that share words are close. */
const vectorOf = (tokens: readonly number[]): Float32Array => {
  const counts = new Float32Array(DIMENSIONS);
  for (const id of tokens) {
    const place = id % DIMENSIONS;
    counts[place] = (counts[place] ?? 0) + ((id >>> 16) % 2 === 0 ? 1 : -1);
  }
  if (counts.every((count) => count === 0)) counts[0] = 1;
  return normalise(counts);
};

/**
 * An embedder without a model, for tests and benchmarks: the same text gives the same vector. A text can request a fault,
 * see `synthetic-faults.ts`.
 */
export const createSyntheticEmbedder = ({ models, node }: Config): Embedder => {
  const model: NodeModel = {
    id: models.embedding,
    kind: "embedding",
    revision: "synthetic",
    context_window: node.contextTokens,
    dimensions: DIMENSIONS,
  };

  async function* embed(inputs: EmbeddingInput[], tokens: number[][], signal: AbortSignal): AsyncGenerator<Embedding> {
    for (const [index, ids] of tokens.entries()) {
      await nextTurn();
      signal.throwIfAborted();
      const input = inputs[index];
      const fault = typeof input === "string" ? readFault(input) : undefined;
      if (fault?.what === "truncate") return;
      if (fault) await failAs(fault, signal);
      yield { index, vector: vectorOf(ids), tokens: ids.length };
    }
  }

  return {
    name: "synthetic",
    load: async (onProgress) => onProgress(1),
    models: () => [model],
    accept: async ({ body, signal }) => {
      const { model: name, inputs, dimensions, nameOf } = readEmbeddingParameters(body);
      findModel([model], name);
      checkDimensions(dimensions, DIMENSIONS);
      const tokens = inputs.map(tokensOf);
      const long = tokens.findIndex((ids) => ids.length > model.context_window);
      if (long >= 0) throw inputTooLong(model.context_window, `${tokens[long]?.length}`, nameOf(long));
      return { model, inputs: inputs.length, start: () => embed(inputs, tokens, signal) };
    },
    tokenize: async (name, text) => {
      findModel([model], name);
      return tokensOf(text);
    },
    close: async () => {},
  };
};
