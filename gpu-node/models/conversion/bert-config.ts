import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../../../lib/errors";
import { Q8_0_WEIGHTS } from "./q8-0";

const Size = Type.Integer({ minimum: 1, maximum: 1_000_000 });
/** Rows of a matrix are whole blocks of Q8_0. */
const Width = Type.Integer({ minimum: 1, maximum: 1_000_000, multipleOf: Q8_0_WEIGHTS });

/** `config.json` of Hugging Face's transformers. Literals are what llama.cpp computes: anything else is another model. */
const Architecture = Type.Object({
  model_type: Type.Literal("bert"),
  hidden_act: Type.Literal("gelu"),
  position_embedding_type: Type.Optional(Type.Literal("absolute")),
  hidden_size: Width,
  intermediate_size: Width,
  num_hidden_layers: Size,
  num_attention_heads: Size,
  max_position_embeddings: Size,
  type_vocab_size: Size,
  vocab_size: Size,
  layer_norm_eps: Type.Number({ minimum: 0, maximum: 1 }),
});

/** llama.cpp's tokenizer for BERT always makes letters small. */
const Tokenizer = Type.Object({ do_lower_case: Type.Literal(true) });

/** sentence-transformers' `1_Pooling/config.json`: exactly one of its modes is true. */
const Pooling = Type.Object({
  pooling_mode_cls_token: Type.Boolean(),
  pooling_mode_mean_tokens: Type.Boolean(),
});

export interface BertConfig extends Static<typeof Architecture> {
  pooling: "mean" | "cls";
  /** Token texts, the id of each being its place. */
  vocabulary: readonly string[];
}

/** What a checkpoint folder says about its model. Throws invalid_request where llama.cpp could not compute the same. */
export const readBertConfig = async (folder: string): Promise<BertConfig> => {
  const architecture = await readJson(folder, "config.json", Architecture);
  await readJson(folder, "tokenizer_config.json", Tokenizer);
  const modes = await readJson(folder, "1_Pooling/config.json", Pooling);
  if (modes.pooling_mode_mean_tokens === modes.pooling_mode_cls_token) {
    throw unfit(folder, "1_Pooling/config.json", "its pooling is neither the mean of all tokens nor the first token");
  }
  const vocabulary = (await readFile(join(folder, "vocab.txt"), "utf8")).replace(/\n$/, "").split("\n");
  if (vocabulary.length !== architecture.vocab_size) {
    throw unfit(
      folder,
      "vocab.txt",
      `it has ${vocabulary.length} tokens, and config.json names ${architecture.vocab_size}`,
    );
  }
  return {
    ...architecture,
    pooling: modes.pooling_mode_mean_tokens ? "mean" : "cls",
    vocabulary,
  };
};

const readJson = async <T extends TSchema>(folder: string, name: string, schema: T): Promise<Static<T>> => {
  const value: unknown = JSON.parse(await readFile(join(folder, name), "utf8"));
  if (Value.Check(schema, value)) return value;
  const { path, message } = Value.Errors(schema, value).First() ?? { path: "", message: "" };
  throw unfit(folder, name, `${path.slice(1)}: ${message}`);
};

const unfit = (folder: string, name: string, why: string): AppError =>
  new AppError("invalid_request", `${join(folder, name)} is of no model that can be converted: ${why}.`);
