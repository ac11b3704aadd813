import type { EmbeddingAnswer } from "../../gpu-node/protocol";
import { AppError } from "../../lib/errors";
import { decodeVector } from "../../lib/vectors";

/** A vector as it is sent and cached: OpenAI's base64, and the number of tokens of its input. */
export interface Vector {
  base64: string;
  tokens: number;
}

/** A vector as the cache stores it. */
export const toStored = ({ base64, tokens }: Vector): string => `${tokens} ${base64}`;

export const fromStored = (value: string): Vector => {
  const space = value.indexOf(" ");
  return { tokens: Number(value.slice(0, space)), base64: value.slice(space + 1) };
};

/** Decodes a validated vector. */
export const toNumbers = ({ base64 }: Vector): Float32Array => decodeVector(base64) ?? new Float32Array();

/** Validates a node's response, and returns its `count` vectors in the order of the inputs. Throws upstream_error. */
export const readVectors = (json: string, count: number): Vector[] => {
  const vectors = new Map<number, Vector>();
  for (const { index, embedding, tokens } of parse(json)?.data ?? []) {
    if (typeof embedding === "string" && decodeVector(embedding)?.length) {
      vectors.set(index, { base64: embedding, tokens });
    }
  }
  return Array.from({ length: count }, (_, index) => {
    const vector = vectors.get(index);
    if (vector) return vector;
    throw new AppError("upstream_error", "The GPU node's vectors were incomplete. Try again.", { source: "node" });
  });
};

const parse = (json: string): Partial<EmbeddingAnswer> | undefined => {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
};
