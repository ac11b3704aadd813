import { toNewSample } from "./content";
import type { NewSample, Sample } from "./contract";
import type { DatasetService } from "./service";
import { writeCsv, writeJsonl } from "./writers";

/** A revision as a file, written as it is read. Throws not_found. */
export const exportRevision = async (
  datasets: Pick<DatasetService, "export">,
  id: string,
  { format = "jsonl", revision: number }: { format?: "jsonl" | "csv"; revision?: number },
) => {
  const { dataset, revision, pages } = await datasets.export(id, number);
  const [write, mediaType] = format === "csv" ? [writeCsv, "text/csv"] : [writeJsonl, "application/jsonl"];
  // Names of datasets may hold anything; ids are safe in a header.
  return { name: `${dataset}-r${revision}.${format}`, mediaType, content: write(samplesOf(pages)) };
};

async function* samplesOf(pages: AsyncIterable<Sample[]>): AsyncGenerator<NewSample> {
  for await (const page of pages) for (const sample of page) yield toNewSample(sample);
}
