import type { ValidationReport } from "../../gateway/datasets/contract";
import type { ColumnMapping } from "../../gateway/datasets/reading/columns/mapping";
import type { FileFormat } from "../../gateway/datasets/reading/formats/detect-format";
import type { ReadSample } from "../../gateway/datasets/reading/samples/collector";
import { readSamples } from "../../gateway/datasets/reading/samples/read-samples";
import { inBlocks, LIMITS } from "./rows";

interface Everything {
  samples: ReadSample[];
  report: ValidationReport;
}

/** Reads a whole text in this thread. */
export const readText = async (
  format: Exclude<FileFormat, "parquet">,
  content: string | Uint8Array,
  { limits = LIMITS, mapping = {}, schema }: { limits?: typeof LIMITS; mapping?: ColumnMapping; schema?: unknown } = {},
): Promise<Everything> => collect(readSamples({ format, blocks: inBlocks(content) }, { limits, mapping, schema }));

/** Collects the samples of all batches and the generator's return value. */
export const collect = async (batches: ReturnType<typeof readSamples>): Promise<Everything> => {
  const samples: ReadSample[] = [];
  for (;;) {
    const { done, value } = await batches.next();
    if (done) return { samples, report: value };
    samples.push(...value.samples);
  }
};
