import type { ValidationReport } from "../../contract";
import type { NewSample } from "../../sample-contract";
import type { ColumnMapping } from "../columns/mapping";
import { readCsv } from "../formats/csv";
import type { FileFormat } from "../formats/detect-format";
import { readJson } from "../formats/json";
import { readJsonl } from "../formats/jsonl";
import { invalid, noteRead, type ReadingLimits } from "../limits";
import type { RawRow, Warn } from "../rows";
import { decodeText } from "../text";
import type { SampleProblem } from "./check";
import { type ReadSample, SampleCollector } from "./collector";
import { countCharacters } from "./report";

const MAX_BATCH_SAMPLES = 500;
const MAX_BATCH_CHARACTERS = 262_144;
/** A batch is returned after this time at the latest, even if it is empty, so that the caller sees progress. */
const MAX_BATCH_MS = 1000;
/** Minimum garbage that reading a row and a value leaves. */
const MIN_ROW_BYTES = 512;
const MIN_VALUE_BYTES = 64;
/** Checking, hashing and sending a sample longer than this leaves copies of its text: `COPIED_BYTES` per character. */
const LONG_CHARACTERS = 65_536;
const COPIED_BYTES = 8;
/** Maximum total time for checking a file against the dataset's schema: some schemas get slower with every text. */
const MAX_SCHEMA_MS = 60_000;

export type RowSource =
  | { format: Exclude<FileFormat, "parquet">; blocks: AsyncIterable<Uint8Array> }
  /** Parquet is read from the end, so it needs an open file. `leftOut`: columns to skip. */
  | { format: "parquet"; fd: number; leftOut: ReadonlySet<string> };

export interface SampleBatch {
  samples: ReadSample[];
  characters: number;
  rows: number;
}

export interface SampleOptions {
  limits: ReadingLimits;
  mapping: ColumnMapping;
  /** The dataset's JSON Schema, already checked by `checkSampleSchema`. */
  schema?: unknown;
}

/**
 * Reads a file into checked samples and returns the report, which lists the problems of rows. Throws if the rest can't
 * be read: dataset_invalid, payload_too_large, or invalid_request for the mapping.
 */
export async function* readSamples(
  source: RowSource,
  { limits, mapping, schema }: SampleOptions,
): AsyncGenerator<SampleBatch, ValidationReport> {
  const findSchemaProblems = await schemaCheck(schema);
  const collector = new SampleCollector({ format: source.format, limits, mapping, findSchemaProblems });
  let batch = new Batch();
  for await (const row of await readRows(source, limits, collector.warn)) {
    noteRead(MIN_ROW_BYTES + ("values" in row ? row.values.length * MIN_VALUE_BYTES : 0));
    const sample = collector.add(row);
    const characters = sample ? batch.add(sample) : 0;
    if (characters > LONG_CHARACTERS) noteRead(COPIED_BYTES * characters);
    if (!batch.isDue()) continue;
    yield { ...batch.contents(), rows: collector.rows };
    batch = new Batch();
  }
  const report = collector.finish();
  yield { ...batch.contents(), rows: collector.rows };
  return report;
}

/** The rows of a file, in order. Throws what the format's reader throws. */
const readRows = async (source: RowSource, limits: ReadingLimits, warn: Warn): Promise<AsyncIterable<RawRow>> => {
  switch (source.format) {
    case "jsonl":
      return readJsonl(decodeText(source.blocks, warn), limits, warn);
    case "json":
      return readJson(decodeText(source.blocks, warn), limits, warn);
    case "csv":
      return readCsv(decodeText(source.blocks, warn), limits, warn);
    case "parquet": {
      // Loaded on demand: its libraries take 8 MiB, and most uploads are text.
      const { readParquet } = await import("../formats/parquet/reader");
      return readParquet(source.fd, limits, source.leftOut, warn);
    }
  }
};

class Batch {
  readonly #samples: ReadSample[] = [];
  readonly #startedAt = performance.now();
  #characters = 0;

  /** Returns the sample's number of characters. */
  add(sample: ReadSample): number {
    this.#samples.push(sample);
    const { input, references, contexts, output, tags, metadata, expected_tool_calls: calls, tools } = sample;
    const texts = [input, references, contexts, output, tags, Object.values(metadata), calls, tools];
    const characters = countCharacters(texts);
    this.#characters += characters;
    return characters;
  }

  contents(): Pick<SampleBatch, "samples" | "characters"> {
    return { samples: this.#samples, characters: this.#characters };
  }

  isDue(): boolean {
    return (
      this.#samples.length >= MAX_BATCH_SAMPLES ||
      this.#characters >= MAX_BATCH_CHARACTERS ||
      performance.now() - this.#startedAt >= MAX_BATCH_MS
    );
  }
}

/** The validator is large, so it is only loaded if the dataset has a schema. */
const schemaCheck = async (schema: unknown): Promise<(sample: NewSample) => SampleProblem[]> => {
  if (schema === undefined) return () => [];
  const { compileSampleSchema } = await import("./schema");
  const check = compileSampleSchema(schema);
  let spentMs = 0;
  return (sample) => {
    const startedAt = performance.now();
    const problems = check(sample);
    spentMs += performance.now() - startedAt;
    if (spentMs <= MAX_SCHEMA_MS) return problems;
    throw invalid("the dataset's schema takes too long to check. Simplify its patterns.");
  };
};
