import { join } from "node:path";
import { AppError } from "../../lib/errors";
import type { Pooling } from "./catalogue";
import { bool, float, ints, string, strings, TENSOR_TYPES, uint, writeGguf } from "./gguf";
import type { OnBytes } from "./verify";

/** Number of weights that share one scale in ggml's type Q8_0. */
export const Q8_0_WEIGHTS = 32;
/** Bytes of a block: a half-precision scale and one signed byte per weight. */
export const Q8_0_BYTES = 2 + Q8_0_WEIGHTS;
/** The value in `enum llama_ftype` for a file with such matrices. */
const MOSTLY_Q8_0 = 7;
/** Values of `enum llama_pooling_type`. */
export const POOLING = { mean: 1, cls: 2 } as const satisfies Record<Pooling, number>;
/** Token types in GGUF. */
const TOKEN = { normal: 1, control: 3 } as const;

/** BERT's control tokens and the key that llama.cpp reads for each; "seperator" is llama.cpp's spelling. */
const CONTROL_TOKENS = new Map([
  ["[CLS]", "tokenizer.ggml.cls_token_id"],
  ["[SEP]", "tokenizer.ggml.seperator_token_id"],
  ["[UNK]", "tokenizer.ggml.unknown_token_id"],
  ["[PAD]", "tokenizer.ggml.padding_token_id"],
  ["[MASK]", "tokenizer.ggml.mask_token_id"],
]);

/** Parts of a layer in the checkpoint and in llama.cpp; each has a weight and a bias. */
const LAYER_PARTS = [
  ["attention.self.query", "attn_q"],
  ["attention.self.key", "attn_k"],
  ["attention.self.value", "attn_v"],
  ["attention.output.dense", "attn_output"],
  ["attention.output.LayerNorm", "attn_output_norm"],
  ["intermediate.dense", "ffn_up"],
  ["output.dense", "ffn_down"],
  ["output.LayerNorm", "layer_output_norm"],
] as const;

/**
 * Converts the BERT checkpoint in `folder` (sentence-transformers' layout, weights in single precision) to the GGUF
 * file `target`: matrices as Q8_0, the rest in single precision. The result has the same bytes on every machine.
 * Throws invalid_request for a checkpoint that it can't convert.
 */
export const convertBert = async (folder: string, target: string, onBytes: OnBytes): Promise<void> => {
  const config: BertConfig = await Bun.file(join(folder, "config.json")).json();
  await checkCheckpoint(folder, config);
  const weights = Bun.file(join(folder, "model.safetensors"));
  const dataOffset = 8 + Buffer.from(await weights.slice(0, 8).arrayBuffer()).readUInt32LE();
  const stored: Record<string, StoredTensor> = await weights.slice(8, dataOffset).json();
  const tensors = tensorNames(config).map(([from, to]) => {
    const { shape, data_offsets } = findTensor(stored, from);
    const isQuantized = shape.length > 1 && !/^(position_embd|token_types)/.test(to);
    const [start, end] = data_offsets;
    const data = weights.slice(dataOffset + start, dataOffset + end);
    return {
      name: to,
      shape,
      type: isQuantized ? TENSOR_TYPES.Q8_0 : TENSOR_TYPES.F32,
      sizeBytes: isQuantized ? ((end - start) / 4 / Q8_0_WEIGHTS) * Q8_0_BYTES : end - start,
      read: async () => {
        const bytes = await data.arrayBuffer();
        return isQuantized ? quantizeQ8(new Float32Array(bytes)) : new Uint8Array(bytes);
      },
    };
  });
  await writeGguf(target, await metadataOf(folder, config), tensors, onBytes);
};

/** All tensors that llama.cpp expects in a BERT model, in order. Embeddings don't use the checkpoint's pooler. */
const tensorNames = ({ num_hidden_layers }: BertConfig): [from: string, to: string][] => {
  const both = (from: string, to: string): [string, string][] => [
    [`${from}.weight`, `${to}.weight`],
    [`${from}.bias`, `${to}.bias`],
  ];
  return [
    ["embeddings.word_embeddings.weight", "token_embd.weight"],
    ["embeddings.position_embeddings.weight", "position_embd.weight"],
    ["embeddings.token_type_embeddings.weight", "token_types.weight"],
    ...both("embeddings.LayerNorm", "token_embd_norm"),
    ...Array.from({ length: num_hidden_layers }, (_, index) =>
      LAYER_PARTS.flatMap(([from, to]) => both(`encoder.layer.${index}.${from}`, `blk.${index}.${to}`)),
    ).flat(),
  ];
};

const metadataOf = async (folder: string, config: BertConfig): Promise<Record<string, Buffer>> => {
  const pooling = await readPooling(folder);
  const vocabulary = (await Bun.file(join(folder, "vocab.txt")).text()).replace(/\n$/, "").split("\n");
  const tokenTypes = vocabulary.map((token) => (CONTROL_TOKENS.has(token) ? TOKEN.control : TOKEN.normal));
  return {
    "general.architecture": string("bert"),
    "general.file_type": uint(MOSTLY_Q8_0),
    "general.quantization_version": uint(2),
    "bert.context_length": uint(config.max_position_embeddings),
    "bert.embedding_length": uint(config.hidden_size),
    "bert.feed_forward_length": uint(config.intermediate_size),
    "bert.block_count": uint(config.num_hidden_layers),
    "bert.attention.head_count": uint(config.num_attention_heads),
    "bert.attention.layer_norm_epsilon": float(config.layer_norm_eps),
    "bert.attention.causal": bool(false),
    "bert.pooling_type": uint(POOLING[pooling]),
    "tokenizer.ggml.model": string("bert"),
    "tokenizer.ggml.tokens": strings(vocabulary.map(llamaToken)),
    "tokenizer.ggml.token_type": ints(tokenTypes),
    "tokenizer.ggml.token_type_count": uint(config.type_vocab_size),
    ...Object.fromEntries([...CONTROL_TOKENS].map(([token, key]) => [key, uint(vocabulary.indexOf(token))])),
  };
};

/** llama.cpp marks tokens that begin a word with U+2581; BERT marks tokens that continue one with "##". */
const llamaToken = (token: string): string => {
  if (CONTROL_TOKENS.has(token)) return token;
  return token.startsWith("##") ? token.slice(2) : `\u2581${token}`;
};

/** C's roundf: halves away from zero. */
const round = (value: number): number => (value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5));

/**
 * Weights as blocks of ggml's type Q8_0, bit-for-bit equal to its reference `quantize_row_q8_0_ref`: all arithmetic is
 * in single precision. `weights` contains whole blocks.
 */
export const quantizeQ8 = (weights: Float32Array): Buffer => {
  const blocks = weights.length / Q8_0_WEIGHTS;
  const bytes = Buffer.alloc(blocks * Q8_0_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let block = 0; block < blocks; block++) {
    const first = block * Q8_0_WEIGHTS;
    const at = block * Q8_0_BYTES;
    let largest = 0;
    for (let i = first; i < first + Q8_0_WEIGHTS; i++) largest = Math.max(largest, Math.abs(weights[i] ?? 0));
    const scale = Math.fround(largest / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    view.setFloat16(at, scale, true);
    for (let i = 0; i < Q8_0_WEIGHTS; i++) {
      view.setInt8(at + 2 + i, round(Math.fround((weights[first + i] ?? 0) * inverse)));
    }
  }
  return bytes;
};

/** `config.json` of Hugging Face's transformers. */
interface BertConfig {
  model_type?: string;
  hidden_act?: string;
  position_embedding_type?: string;
  hidden_size: number;
  intermediate_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  max_position_embeddings: number;
  type_vocab_size: number;
  layer_norm_eps: number;
}

/** A tensor's entry in the header of a safetensors file; the slowest-varying dimension comes first. */
interface StoredTensor {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const refuse = (problem: string): AppError =>
  new AppError("invalid_request", `The checkpoint can't be converted: ${problem}. Use a .gguf file of this model.`);

/** Throws invalid_request for a model that llama.cpp would not compute as its authors do. */
const checkCheckpoint = async (folder: string, config: BertConfig): Promise<void> => {
  const { model_type = "bert", hidden_act = "gelu", position_embedding_type: positions = "absolute" } = config;
  if (!(await Bun.file(join(folder, "vocab.txt")).exists())) {
    throw refuse("it has no vocab.txt, and SentencePiece vocabularies, such as XLM-R's, are not supported");
  }
  if (model_type !== "bert") throw refuse(`its model_type is "${model_type}", and only "bert" is supported`);
  if (hidden_act !== "gelu") throw refuse(`its hidden_act is "${hidden_act}", and only "gelu" is supported`);
  if (positions !== "absolute") throw refuse(`its positions are "${positions}", and only "absolute" is supported`);
  const { do_lower_case = true } = await Bun.file(join(folder, "tokenizer_config.json")).json();
  if (!do_lower_case) throw refuse("it distinguishes upper and lower case, and llama.cpp does not");
};

/** Throws invalid_request for a tensor that is missing or not in single precision. */
const findTensor = (stored: Record<string, StoredTensor>, name: string): StoredTensor => {
  const tensor = stored[name];
  if (!tensor) throw refuse(`model.safetensors has no ${name}`);
  if (tensor.dtype !== "F32") throw refuse(`${name} is ${tensor.dtype}, and only F32 is supported`);
  return tensor;
};

const MODE = /^pooling_mode_/;

/** The model's pooling. Throws invalid_request unless it is exactly one of cls and mean. */
const readPooling = async (folder: string): Promise<Pooling> => {
  const settings: Record<string, unknown> = await Bun.file(join(folder, "1_Pooling/config.json")).json();
  const modes = Object.keys(settings).filter((name) => MODE.test(name) && settings[name] === true);
  if (modes.length === 1 && modes[0] === "pooling_mode_cls_token") return "cls";
  if (modes.length === 1 && modes[0] === "pooling_mode_mean_tokens") return "mean";
  const found = modes.map((name) => name.replace(MODE, "")).join(", ") || "none";
  throw refuse(`its pooling is ${found}, and only cls_token or mean_tokens are supported`);
};
