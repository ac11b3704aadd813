import { toAppError } from "../../lib/errors";
import type { Principal } from "../principal";
import type { Uploads } from "../uploads/service";
import type { Imports } from "./imports";
import type { DatasetService } from "./service";

const NAME = "sample";

/** A small model answers only some of these questions correctly, so a first evaluation shows both outcomes. */
const SAMPLES = new URL("./sample-dataset.jsonl", import.meta.url);

interface SampleDeps {
  datasets: Pick<DatasetService, "get">;
  imports: Pick<Imports, "enqueue">;
  uploads: Pick<Uploads, "receive">;
}

/** Returns the sample dataset, or starts the import that creates it. */
export const beginSampleDataset = async (
  { datasets, imports, uploads }: SampleDeps,
  principal: Principal,
): Promise<{ dataset: string } | { job: string }> => {
  const known = await datasets.get(NAME).catch((error) => {
    if (toAppError(error).kind === "not_found") return undefined;
    throw error;
  });
  if (known) return { dataset: known.id };
  const upload = await uploads.receive(Bun.file(SAMPLES).stream(), {
    fileName: "sample.jsonl",
    createdBy: principal.keyId,
  });
  const description = "21 questions to try an evaluation with";
  const request = {
    target: { mode: "create", name: NAME, description, schema: null },
    options: { format: "jsonl", onError: "refuse", dryRun: false },
  } as const;
  return imports.enqueue(principal, upload, request);
};
