import { join } from "node:path";
import { AppError } from "../../lib/errors";
import type { Pooling } from "./catalogue";

/** `config.json` of Hugging Face's transformers. */
export interface BertConfig {
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
export interface StoredTensor {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const refuse = (problem: string): AppError =>
  new AppError("invalid_request", `The checkpoint can't be converted: ${problem}. Use a .gguf file of this model.`);

/** Throws invalid_request for a model that llama.cpp would not compute as its authors do. */
export const checkCheckpoint = async (folder: string, config: BertConfig): Promise<void> => {
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
export const findTensor = (stored: Record<string, StoredTensor>, name: string): StoredTensor => {
  const tensor = stored[name];
  if (!tensor) throw refuse(`model.safetensors has no ${name}`);
  if (tensor.dtype !== "F32") throw refuse(`${name} is ${tensor.dtype}, and only F32 is supported`);
  return tensor;
};

const MODE = /^pooling_mode_/;

/** The only pooling of a model. Throws invalid_request for another one than cls and mean, or several. */
export const readPooling = async (folder: string): Promise<Pooling> => {
  const settings: Record<string, unknown> = await Bun.file(join(folder, "1_Pooling/config.json")).json();
  const modes = Object.keys(settings).filter((name) => MODE.test(name) && settings[name] === true);
  if (modes.length === 1 && modes[0] === "pooling_mode_cls_token") return "cls";
  if (modes.length === 1 && modes[0] === "pooling_mode_mean_tokens") return "mean";
  const found = modes.map((name) => name.replace(MODE, "")).join(", ") || "none";
  throw refuse(`its pooling is ${found}, and only cls_token or mean_tokens are supported`);
};
