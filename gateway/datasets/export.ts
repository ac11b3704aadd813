import { download } from "../http/download";
import { toNewSample } from "./content";
import type { NewSample, Sample } from "./contract";
import type { DatasetService } from "./service";
import { writeCsv, writeJsonl } from "./writers";

/** A revision as a file, written as it is read. Throws not_found. */
export const exportResponse = async (
  datasets: Pick<DatasetService, "export">,
  id: string,
  { format = "jsonl", revision: number }: { format?: "jsonl" | "csv"; revision?: number },
): Promise<Response> => {
  const { dataset, revision, pages } = await datasets.export(id, number);
  const [write, mediaType] = format === "csv" ? [writeCsv, "text/csv"] : [writeJsonl, "application/jsonl"];
  const texts = write(samplesOf(pages));
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await texts.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: async () => void (await texts.return(undefined)),
  });
  // Names of datasets may hold anything; ids are safe in a header.
  return download(body, mediaType, `${dataset}-r${revision}.${format}`);
};

async function* samplesOf(pages: AsyncIterable<Sample[]>): AsyncGenerator<NewSample> {
  for await (const page of pages) for (const sample of page) yield toNewSample(sample);
}
