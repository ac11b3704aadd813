import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../../../lib/errors";
import type { OnBytes } from "../verify";
import { type BertConfig, readBertConfig } from "./bert-config";
import { type GgufMetadata, type GgufTensor, metadata, writeGguf } from "./gguf-file";
import { quantizeQ8 } from "./q8-0";
import { readSafetensors, type StoredTensor } from "./safetensors";

/** Weights are read in pieces of this size, which are whole blocks of Q8_0. */
const PIECE_BYTES = 1_048_576;

/** Values of llama.cpp's `enum llama_pooling_type` and `enum llama_token_attr` as GGUF numbers them. */
const POOLING = { mean: 1, cls: 2 } as const;
const TOKEN = { normal: 1, control: 3 } as const;
/** `LLAMA_FTYPE_MOSTLY_Q8_0` */
const FILE_TYPE = 7;
const QUANTIZATION_VERSION = 2;
/** Stands in front of what begins a word in llama.cpp's vocabularies; BERT marks what continues one, by "##". */
const WORD_START = "\u2581";
const CONTINUATION = "##";

/** BERT's control tokens and the key under which llama.cpp looks for each; "seperator" is its spelling. */
const CONTROL_TOKENS = new Map([
  ["[CLS]", "tokenizer.ggml.cls_token_id"],
  ["[SEP]", "tokenizer.ggml.seperator_token_id"],
  ["[UNK]", "tokenizer.ggml.unknown_token_id"],
  ["[PAD]", "tokenizer.ggml.padding_token_id"],
  ["[MASK]", "tokenizer.ggml.mask_token_id"],
]);

/**
 * Makes the GGUF file `target` of the BERT checkpoint in `folder` (sentence-transformers' layout: `model.safetensors`
 * in single precision, `vocab.txt`, `config.json` and its companions): matrices as Q8_0, all else in single precision.
 * The same checkpoint gives the same bytes on every machine. `onBytes` gets how much was written. Throws
 * invalid_request where the checkpoint is of another kind.
 */
export const convertBert = async (folder: string, target: string, onBytes: OnBytes): Promise<void> => {
  const config = await readBertConfig(folder);
  const path = join(folder, "model.safetensors");
  const stored = await readSafetensors(path);
  const weights = await open(path);
  try {
    const tensors = bertTensors(config).map((mapping): GgufTensor => {
      const tensor = findTensor(stored, mapping, path);
      return {
        name: mapping.to,
        type: mapping.isQuantized ? "Q8_0" : "F32",
        shape: mapping.shape.toReversed(),
        read: () => readWeights(weights, tensor, mapping),
      };
    });
    await writeGguf(target, metadataOf(config), tensors, onBytes);
  } finally {
    await weights.close();
  }
};

const metadataOf = (config: BertConfig): GgufMetadata => ({
  "general.architecture": metadata.string("bert"),
  "general.file_type": metadata.uint(FILE_TYPE),
  "general.quantization_version": metadata.uint(QUANTIZATION_VERSION),
  "bert.context_length": metadata.uint(config.max_position_embeddings),
  "bert.embedding_length": metadata.uint(config.hidden_size),
  "bert.feed_forward_length": metadata.uint(config.intermediate_size),
  "bert.block_count": metadata.uint(config.num_hidden_layers),
  "bert.attention.head_count": metadata.uint(config.num_attention_heads),
  "bert.attention.layer_norm_epsilon": metadata.float(config.layer_norm_eps),
  "bert.attention.causal": metadata.bool(false),
  "bert.pooling_type": metadata.uint(POOLING[config.pooling]),
  ...vocabularyOf(config),
});

const vocabularyOf = ({ vocabulary, type_vocab_size }: BertConfig): GgufMetadata => {
  const controls = [...CONTROL_TOKENS].map(([token, key]) => {
    const id = vocabulary.indexOf(token);
    if (id < 0) throw new AppError("invalid_request", `The vocabulary has no ${token}: it is not BERT's.`);
    return [key, metadata.uint(id)] as const;
  });
  return {
    "tokenizer.ggml.model": metadata.string("bert"),
    "tokenizer.ggml.tokens": metadata.strings(vocabulary.map(llamaToken)),
    "tokenizer.ggml.token_type": metadata.ints(
      vocabulary.map((token) => (CONTROL_TOKENS.has(token) ? TOKEN.control : TOKEN.normal)),
    ),
    "tokenizer.ggml.token_type_count": metadata.uint(type_vocab_size),
    ...Object.fromEntries(controls),
  };
};

const llamaToken = (token: string): string => {
  if (CONTROL_TOKENS.has(token)) return token;
  return token.startsWith(CONTINUATION) ? token.slice(CONTINUATION.length) : WORD_START + token;
};

const findTensor = (stored: Map<string, StoredTensor>, { from, shape }: Mapping, path: string): StoredTensor => {
  const tensor = stored.get(from);
  const wanted = `F32 [${shape.join(", ")}]`;
  const found = tensor ? `${tensor.dtype} [${tensor.shape.join(", ")}]` : "missing";
  const sizeBytes = 4 * shape.reduce((product, length) => product * length, 1);
  if (tensor && found === wanted && tensor.sizeBytes === sizeBytes) return tensor;
  throw new AppError("invalid_request", `${path} can't be converted: ${from} is ${found}, and ${wanted} is needed.`);
};

async function* readWeights(
  file: FileHandle,
  { offset, sizeBytes }: StoredTensor,
  { isQuantized }: Mapping,
): AsyncGenerator<Buffer> {
  for (let done = 0; done < sizeBytes; ) {
    const length = Math.min(PIECE_BYTES, sizeBytes - done);
    const bytes = new Uint8Array(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset + done);
    if (bytesRead < length) throw new Error(`the file ends at ${offset + done + bytesRead}`);
    yield isQuantized ? quantizeQ8(new Float32Array(bytes.buffer)) : Buffer.from(bytes.buffer);
    done += length;
  }
}

/** A tensor of the checkpoint, with its name in llama.cpp and its dimensions, slowest first. */
interface Mapping {
  from: string;
  to: string;
  shape: readonly number[];
  /** Weight matrices and the word embedding table. */
  isQuantized?: boolean;
}

/** All tensors that llama.cpp expects in a BERT, in order. The checkpoint's pooler is not used for embeddings. */
const bertTensors = (config: BertConfig): Mapping[] => {
  const {
    hidden_size: hidden,
    intermediate_size: inner,
    vocab_size,
    max_position_embeddings,
    type_vocab_size,
  } = config;
  const norm = (from: string, to: string): Mapping[] => [
    { from: `${from}.weight`, to: `${to}.weight`, shape: [hidden] },
    { from: `${from}.bias`, to: `${to}.bias`, shape: [hidden] },
  ];
  const dense = (from: string, to: string, outputs: number, inputs: number): Mapping[] => [
    { from: `${from}.weight`, to: `${to}.weight`, shape: [outputs, inputs], isQuantized: true },
    { from: `${from}.bias`, to: `${to}.bias`, shape: [outputs] },
  ];
  const layer = (index: number): Mapping[] => {
    const [from, to] = [`encoder.layer.${index}`, `blk.${index}`];
    return [
      ...dense(`${from}.attention.self.query`, `${to}.attn_q`, hidden, hidden),
      ...dense(`${from}.attention.self.key`, `${to}.attn_k`, hidden, hidden),
      ...dense(`${from}.attention.self.value`, `${to}.attn_v`, hidden, hidden),
      ...dense(`${from}.attention.output.dense`, `${to}.attn_output`, hidden, hidden),
      ...norm(`${from}.attention.output.LayerNorm`, `${to}.attn_output_norm`),
      ...dense(`${from}.intermediate.dense`, `${to}.ffn_up`, inner, hidden),
      ...dense(`${from}.output.dense`, `${to}.ffn_down`, hidden, inner),
      ...norm(`${from}.output.LayerNorm`, `${to}.layer_output_norm`),
    ];
  };
  const table = (name: string, to: string, rows: number, isQuantized = false): Mapping => ({
    from: `embeddings.${name}.weight`,
    to,
    shape: [rows, hidden],
    isQuantized,
  });
  return [
    table("word_embeddings", "token_embd.weight", vocab_size, true),
    table("position_embeddings", "position_embd.weight", max_position_embeddings),
    table("token_type_embeddings", "token_types.weight", type_vocab_size),
    ...norm("embeddings.LayerNorm", "token_embd_norm"),
    ...Array.from({ length: config.num_hidden_layers }, (_, index) => layer(index)).flat(),
  ];
};
