import type { BertConfig } from "./bert-config";

/** A tensor of the checkpoint, its name in llama.cpp and its dimensions, slowest first. */
export interface Mapping {
  from: string;
  to: string;
  shape: readonly number[];
  /** Matrices that are multiplied with, and the table of words. */
  isQuantized?: boolean;
}

/** Every tensor that llama.cpp looks for in a BERT, in its order. The pooler of the checkpoint makes no embeddings. */
export const bertTensors = (config: BertConfig): Mapping[] => {
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
