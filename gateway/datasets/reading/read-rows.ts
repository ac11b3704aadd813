import { readCsv } from "./formats/csv";
import type { FileFormat } from "./formats/detect-format";
import { readJson } from "./formats/json";
import { readJsonl } from "./formats/jsonl";
import type { ReadingLimits } from "./limits";
import type { RawRow, Warn } from "./rows";
import { decodeText } from "./text";

export interface TextSource {
  format: Exclude<FileFormat, "parquet">;
  blocks: AsyncIterable<Uint8Array>;
}

/** Parquet is read from its end, so it has to lie in a file. */
export interface ParquetSource {
  format: "parquet";
  path: string;
  /** Columns that need not be read. */
  leftOut: ReadonlySet<string>;
}

export type RowSource = TextSource | ParquetSource;

/** The rows of a file, one at a time and in order. Throws as the reader of its format does. */
export const readRows = async (
  source: RowSource,
  limits: ReadingLimits,
  warn: Warn,
): Promise<AsyncIterable<RawRow>> => {
  switch (source.format) {
    case "jsonl":
      return readJsonl(decodeText(source.blocks, warn), limits, warn);
    case "json":
      return readJson(decodeText(source.blocks, warn), limits, warn);
    case "csv":
      return readCsv(decodeText(source.blocks, warn), limits, warn);
    case "parquet": {
      // Its libraries take 8 MiB, and most uploads are text.
      const { readParquet } = await import("./formats/parquet/reader");
      return readParquet(source.path, limits, source.leftOut, warn);
    }
  }
};
