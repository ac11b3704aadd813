import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/* A BERT model with a few thousand weights in sentence-transformers' file format, for tests. */
export const TINY = { hidden: 32, inner: 64, layers: 2, positions: 16, types: 2 };
export const TINY_VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "food", "##s", "constructor"];

const { hidden, inner, layers, positions, types } = TINY;

type Shapes = Record<string, number[]>;

/** The shapes of all tensors by name, including one that embeddings don't need. */
const tinyShapes = (): Shapes => {
  const shapes: Shapes = {
    "embeddings.word_embeddings.weight": [TINY_VOCABULARY.length, hidden],
    "embeddings.position_embeddings.weight": [positions, hidden],
    "embeddings.token_type_embeddings.weight": [types, hidden],
    "embeddings.LayerNorm.weight": [hidden],
    "embeddings.LayerNorm.bias": [hidden],
    "pooler.dense.weight": [hidden, hidden],
  };
  for (let layer = 0; layer < layers; layer++) {
    const add = (name: string, outputs: number, inputs?: number) => {
      shapes[`encoder.layer.${layer}.${name}.weight`] = inputs === undefined ? [outputs] : [outputs, inputs];
      shapes[`encoder.layer.${layer}.${name}.bias`] = [outputs];
    };
    for (const part of ["self.query", "self.key", "self.value", "output.dense"])
      add(`attention.${part}`, hidden, hidden);
    add("attention.output.LayerNorm", hidden);
    add("intermediate.dense", inner, hidden);
    add("output.dense", hidden, inner);
    add("output.LayerNorm", hidden);
  }
  return shapes;
};

/** Weights that depend only on the tensor's name. */
export const tinyWeights = (name: string, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, index) => Math.sin(name.length * 31 + index * 0.7) / (1 + (index % 7)));

/** A safetensors file with these tensors. */
const safetensors = (shapes: Shapes): Buffer => {
  let end = 0;
  const data: Float32Array[] = [];
  const header = Object.entries(shapes).map(([name, shape]) => {
    const weights = tinyWeights(
      name,
      shape.reduce((product, length) => product * length, 1),
    );
    data.push(weights);
    const from = end;
    end += weights.byteLength;
    return [name, { dtype: "F32", shape, data_offsets: [from, end] }];
  });
  const json = Buffer.from(JSON.stringify({ __metadata__: { format: "pt" }, ...Object.fromEntries(header) }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...data.map(({ buffer }) => new Uint8Array(buffer))]);
};

/** The files of the checkpoint by name. */
export const tinyCheckpoint = (): Record<string, Buffer> => {
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  return {
    "model.safetensors": safetensors(tinyShapes()),
    "vocab.txt": Buffer.from(`${TINY_VOCABULARY.join("\n")}\n`),
    "config.json": json({
      model_type: "bert",
      hidden_act: "gelu",
      hidden_size: hidden,
      intermediate_size: inner,
      num_hidden_layers: layers,
      num_attention_heads: 2,
      max_position_embeddings: positions,
      type_vocab_size: types,
      vocab_size: TINY_VOCABULARY.length,
      layer_norm_eps: 1e-12,
    }),
    "tokenizer_config.json": json({ do_lower_case: true }),
    "1_Pooling/config.json": json({ pooling_mode_cls_token: false, pooling_mode_mean_tokens: true }),
  };
};

export const writeCheckpoint = async (folder: string, files: Record<string, Uint8Array>): Promise<void> => {
  await mkdir(join(folder, "1_Pooling"), { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
};
