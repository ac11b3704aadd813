import { bool, float, ints, string, strings, TENSOR_TYPES, uint, writeGguf } from "../gpu-node/models/gguf";
import { TINY, TINY_VOCABULARY, tinyWeights } from "./tiny-checkpoint";

/*
 * A BERT reranker whose scores can be computed by hand: attention takes the mean of all tokens, and the feed-forward
 * layer adds nothing. No trained reranker is small enough for the tests.
 */

const { hidden, inner, types, positions } = TINY;
const EPSILON = 1e-12;

const ones = (count: number) => new Float32Array(count).fill(1);
const zeros = (count: number) => new Float32Array(count);
const identity = () => Float32Array.from({ length: hidden * hidden }, (_, at) => (at % (hidden + 1) === 0 ? 1 : 0));

const embeddings = tinyWeights("words", TINY_VOCABULARY.length * hidden);
const places = tinyWeights("positions", positions * hidden);
const segments = tinyWeights("segment types", types * hidden);
const classifier = tinyWeights("classifier", hidden);
const BIAS = 0.25;

type Tensor = [name: string, shape: number[], weights: Float32Array];

const both = (name: string, shape: number[], weights: Float32Array): Tensor[] => [
  [`${name}.weight`, shape, weights],
  [`${name}.bias`, [shape[0] ?? 0], zeros(shape[0] ?? 0)],
];

const norm = (name: string) => both(name, [hidden], ones(hidden));

const TENSORS: Tensor[] = [
  ["token_embd.weight", [TINY_VOCABULARY.length, hidden], embeddings],
  ["position_embd.weight", [positions, hidden], places],
  ["token_types.weight", [types, hidden], segments],
  ...norm("token_embd_norm"),
  ...both("blk.0.attn_q", [hidden, hidden], zeros(hidden * hidden)),
  ...both("blk.0.attn_k", [hidden, hidden], zeros(hidden * hidden)),
  ...both("blk.0.attn_v", [hidden, hidden], identity()),
  ...both("blk.0.attn_output", [hidden, hidden], identity()),
  ...norm("blk.0.attn_output_norm"),
  ...both("blk.0.ffn_up", [inner, hidden], zeros(inner * hidden)),
  ...both("blk.0.ffn_down", [hidden, inner], zeros(hidden * inner)),
  ...norm("blk.0.layer_output_norm"),
  ...both("cls", [hidden, hidden], identity()),
  ["cls.output.weight", [1, hidden], classifier],
  ["cls.output.bias", [1], Float32Array.of(BIAS)],
];

/** Writes the model to `target`. Without a classifier, it can't rerank. */
export const writeTinyReranker = (target: string, hasClassifier = true): Promise<void> =>
  writeGguf(
    target,
    {
      "general.architecture": string("bert"),
      "bert.context_length": uint(positions),
      "bert.embedding_length": uint(hidden),
      "bert.feed_forward_length": uint(inner),
      "bert.block_count": uint(1),
      "bert.attention.head_count": uint(2),
      "bert.attention.layer_norm_epsilon": float(EPSILON),
      "bert.attention.causal": bool(false),
      "bert.pooling_type": uint(4),
      "tokenizer.ggml.model": string("bert"),
      "tokenizer.ggml.tokens": strings([
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "\u2581food",
        "s",
        "\u2581constructor",
      ]),
      "tokenizer.ggml.token_type": ints([3, 3, 3, 3, 3, 1, 1, 1]),
      "tokenizer.ggml.token_type_count": uint(types),
      // Such a small vocabulary lacks the token that llama.cpp uses by default.
      "tokenizer.ggml.bos_token_id": uint(2),
      "tokenizer.ggml.seperator_token_id": uint(3),
      "tokenizer.ggml.unknown_token_id": uint(1),
      "tokenizer.ggml.padding_token_id": uint(0),
    },
    TENSORS.filter(([name]) => hasClassifier || !name.startsWith("cls")).map(([name, shape, weights]) => ({
      name,
      shape,
      type: TENSOR_TYPES.F32,
      sizeBytes: weights.byteLength,
      read: () => new Uint8Array(weights.buffer),
    })),
    () => {},
  );

type Vector = readonly number[];

const add = (a: Vector, b: Vector): Vector => a.map((value, at) => value + (b[at] ?? 0));

const normalised = (vector: Vector): Vector => {
  const mean = vector.reduce((sum, value) => sum + value, 0) / vector.length;
  const variance = vector.reduce((sum, value) => sum + (value - mean) ** 2, 0) / vector.length;
  return vector.map((value) => (value - mean) / Math.sqrt(variance + EPSILON));
};

const row = (matrix: Float32Array, index: number): Vector => [...matrix.slice(index * hidden, (index + 1) * hidden)];

/** The model's score for these tokens. llama.cpp uses the first segment type for every token. */
export const tinyScore = (tokens: readonly number[]): number => {
  const read = tokens.map((token, at) =>
    normalised(add(add(row(embeddings, token), row(places, at)), row(segments, 0))),
  );
  const [first = []] = read;
  const mean = read.reduce(add).map((sum) => sum / read.length);
  const pooled = normalised(normalised(add(first, mean))).map(Math.tanh);
  const logit = pooled.reduce((sum, value, at) => sum + value * (classifier[at] ?? 0), BIAS);
  return 1 / (1 + Math.exp(-logit));
};
