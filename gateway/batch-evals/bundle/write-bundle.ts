import { canonicalHash } from "../../../lib/canonical-json";
import type { NewSample } from "../../datasets/contract";
import type { RunFigures } from "../../evals/contract";
import { FIGURES_VERSION } from "../../evals/summary";
import {
  type BundleResult,
  type BundleRun,
  type ListedFile,
  MANIFEST_FILE,
  type Manifest,
  README_FILE,
  RUN_FILE,
  resultsFile,
  STATISTICS_FILE,
  SUMS_FILE,
  samplesFile,
} from "./contract";
import { TAR_END, tarMember } from "./tar";

/** A part is complete when it reaches this size. */
const PART_BYTES = 4 * 1_048_576;

export interface BundleEntry {
  sample: NewSample;
  result: Omit<BundleResult, "hash">;
}

interface BundleSource {
  run: BundleRun;
  /** In the dataset's order: the repeats of a sample follow each other. */
  entries: AsyncIterable<BundleEntry>;
  statistics: RunFigures;
  createdAt: Date;
  /** Called after the last entry. Throws if the run has changed since the first. */
  confirm(): Promise<void>;
}

/** Writes a bundle as a tar archive, while the results are read. */
export async function* writeBundle({ run, entries, statistics, createdAt, confirm }: BundleSource) {
  const files: ListedFile[] = [];
  const member = (name: string, text: string): Uint8Array => {
    const content = Buffer.from(text);
    files.push({ name, bytes: content.length, sha256: Bun.SHA256.hash(content, "hex") });
    return tarMember(name, content);
  };
  yield member(RUN_FILE, json(run));
  let part = 0;
  for await (const { samples, results } of partsOf(entries)) {
    part++;
    yield member(samplesFile(part), samples);
    yield member(resultsFile(part), results);
  }
  await confirm();
  yield member(STATISTICS_FILE, json(statistics));
  yield member(README_FILE, README);
  const { id, name, pins } = run.run;
  const manifest: Manifest = {
    format: "groundwire-bundle",
    version: 1,
    created_at: createdAt.toISOString(),
    run_id: id,
    run_name: name,
    pins,
    results: run.results,
    figures_version: FIGURES_VERSION,
    files: [...files],
  };
  yield member(MANIFEST_FILE, json(manifest));
  yield tarMember(SUMS_FILE, Buffer.from(sumsOf(files)));
  yield TAR_END;
}

/** The text of `SHA256SUMS`. */
export const sumsOf = (files: readonly ListedFile[]): string =>
  files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join("");

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** The lines of both files of each part. */
async function* partsOf(entries: AsyncIterable<BundleEntry>) {
  let [samples, results] = ["", ""];
  let lastKey: string | undefined;
  for await (const { sample, result } of entries) {
    if (result.sample_key !== lastKey) samples += `${JSON.stringify(sample)}\n`;
    lastKey = result.sample_key;
    results += `${JSON.stringify({ ...result, hash: canonicalHash(result) })}\n`;
    if (samples.length + results.length < PART_BYTES) continue;
    yield { samples, results };
    [samples, results] = ["", ""];
  }
  if (results !== "") yield { samples, results };
}

const README = `# A Groundwire evaluation run

- run.json: the run with everything that affects its figures, its prompt, its evaluators, and the request that repeats it
- samples/: the dataset samples that it used, as JSON Lines
- results/: an output per sample and repeat with its scores and labels, as JSON Lines
- statistics.json: the figures
- manifest.json, SHA256SUMS: the SHA-256 of every file

Check the files with \`sha256sum --check SHA256SUMS\`, or everything, including scores and figures, with Groundwire's
\`bun run verify BUNDLE\`, which needs no server.

To repeat the run, upload the samples as one dataset (\`cat samples/*.jsonl\`) with the name in \`request.dataset\` of
run.json, create the prompt and the judges in run.json if the instance lacks them, and send \`request\` to
\`POST /v1/batch-evals\`.
`;
