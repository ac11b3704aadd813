import { type Static, Type } from "@sinclair/typebox";
import { Count, Nullable, OneOf, Strict, Timestamp } from "../../contract";
import { NewSample } from "../../datasets/contract";
import { Criterion, JudgeSettings, RunFigures, RunInfo, RunPins } from "../../evals/contract";
import { ExportedResult } from "../../evals/transfer-contract";
import { PromptVersion } from "../../prompts/contract";
import { BatchSettings, StartBatchEval } from "../contract";

/*
 * The files of a bundle, in their order in the archive. Samples and results are split into parts of a few MiB, so that
 * they can be streamed. A part's results belong to samples in the same part, or to the last sample of the previous part.
 */

export const RUN_FILE = "run.json";
export const STATISTICS_FILE = "statistics.json";
export const README_FILE = "README.md";
export const MANIFEST_FILE = "manifest.json";
/** The hashes of all other files, in the format of `sha256sum`. */
export const SUMS_FILE = "SHA256SUMS";
export const samplesFile = (part: number): string => `samples/${partName(part)}.jsonl`;
export const resultsFile = (part: number): string => `results/${partName(part)}.jsonl`;
const partName = (part: number): string => String(part).padStart(6, "0");

const SINGLE: ReadonlySet<string> = new Set([RUN_FILE, STATISTICS_FILE, README_FILE, MANIFEST_FILE, SUMS_FILE]);
export const isBundleFile = (name: string): boolean =>
  SINGLE.has(name) || /^(samples|results)\/\d{6}\.jsonl$/.test(name);

/** An evaluator version that scored results of the run. */
const UsedEvaluator = Type.Object({
  name: Type.String(),
  version: Type.Integer({ minimum: 1 }),
  kind: OneOf(["reference", "exact", "tool_call", "judge"]),
  description: Type.String(),
  criteria: Type.Array(Criterion),
  judge: Nullable(JudgeSettings),
  hash: Type.String(),
});

/** `run.json`: the run, and what is needed to repeat it. */
export const BundleRun = Type.Object({
  run: RunInfo,
  settings: BatchSettings,
  /** The body of a `POST /v1/batch-evals` that repeats the run after its samples were uploaded as the named dataset. */
  request: StartBatchEval,
  prompt: Nullable(PromptVersion),
  evaluators: Type.Array(UsedEvaluator),
  results: Count(),
});
export type BundleRun = Static<typeof BundleRun>;

/** A line of `samples/…`. */
export const BundleSample = NewSample;

/** A line of `results/…`. */
export const BundleResult = Strict({
  ...ExportedResult.properties,
  hash: Type.String({ description: "sha256 of the canonical JSON of all other fields" }),
});
export type BundleResult = Static<typeof BundleResult>;

/** `statistics.json`. */
export const BundleStatistics = RunFigures;

const ListedFile = Type.Object({ name: Type.String(), bytes: Count(), sha256: Type.String() });
export type ListedFile = Static<typeof ListedFile>;

/** `manifest.json`. */
export const Manifest = Type.Object({
  format: Type.Literal("groundwire-bundle"),
  version: Type.Literal(1),
  created_at: Timestamp,
  run_id: Type.String(),
  run_name: Type.String(),
  pins: RunPins,
  results: Count(),
  figures_version: Type.Integer({ description: "Version of the computation of the figures" }),
  files: Type.Array(ListedFile),
});
export type Manifest = Static<typeof Manifest>;
