import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { blocksOf } from "../../lib/blocks";
import { EXIT, onlyArgument, runCommand } from "../../lib/command";
import { AppError } from "../../lib/errors";
import { inOrder } from "../../lib/in-order";
import { countProgress, drawProgress } from "../../lib/progress";
import { loadConfig } from "../../lib/settings";
import type { RagAnswer, RagQuery } from "../rag/contract";
import type { AddedDocuments, RagIndex, RagIndexPage } from "../rag/indexes/contract";
import { DEFAULT_RETRIEVAL } from "../rag/indexes/defaults";
import { type LabelledCorpus, readLabelledCorpora } from "../rag/quality/labelled-corpus";
import {
  type CorpusReport,
  formatReport,
  reportFallback,
  reportMethod,
  type SearchedQuery,
} from "../rag/quality/report";
import type { RetrievalSettings } from "../retrieval-contract";
import { type Platform, startPlatform } from "./platform";

const HELP = `Measures retrieval on labelled questions: adds each passage to an index and searches it, with the same code as the API.

  bun run retrieval-quality FOLDER                      every retrieval_NAME_corpus.jsonl and retrieval_NAME_queries.jsonl there
  bun run retrieval-quality FOLDER --predictions OUT    also writes what hybrid search found, one file per corpus
  bun run retrieval-quality FOLDER --keep DATA          keeps the indexes in the folder DATA, so that the next run needn't read the passages
  bun run retrieval-quality FOLDER --json               for scripts
  bun run retrieval-quality FOLDER --markdown           tables for a document

Compares keyword search (BM25), vectors and hybrid with the settings of a new index. The fallback is measured at the default threshold, and at the best one
for these questions. All files are checked first. Progress is written to stderr.
Gateway, worker and models run in this process, unless GROUNDWIRE_NODES is set.`;

const OPTIONS = {
  predictions: { type: "string" },
  keep: { type: "string" },
  json: { type: "boolean", default: false },
  markdown: { type: "boolean", default: false },
} as const;

/** Passages per request. */
const BATCH = 500;
/** Questions searched in parallel, enough to keep the embedder busy. */
const PARALLEL = 4;
/** More than enough chunks for ten passages. */
const TOP_K = 50;
const POLL_MS = 500;

const METHODS = ["keyword", "vector", "hybrid"] as const satisfies RetrievalSettings["mode"][];
type Method = (typeof METHODS)[number];

interface CorpusIndex {
  index: RagIndex;
  /** Id of the passage by id of its document. */
  passages: Map<string, string>;
}

/** Adds each passage as a document to the index named after the corpus, and waits until all are searchable. */
const ingestCorpus = async ({ request }: Platform, { name, passages }: LabelledCorpus): Promise<CorpusIndex> => {
  const { data } = await request<RagIndexPage>("GET", "/v1/rag/indexes?limit=100");
  const index =
    data.find((each) => each.name === name) ?? (await request<RagIndex>("POST", "/v1/rag/indexes", { name }));
  const passageOf = new Map<string, string>();
  for (const some of blocksOf(passages, BATCH)) {
    const documents = some.map(({ id, title, text }) => ({
      source: id,
      title: title?.trim() ? title.slice(0, 500) : undefined,
      text,
      media_type: "text/plain",
    }));
    const added = await request<AddedDocuments>("POST", `/v1/rag/indexes/${index.id}/documents`, { documents });
    for (const [at, document] of added.documents.entries()) passageOf.set(document.id, some[at]?.id ?? "");
  }
  const draw = drawProgress(process.stderr);
  for (;;) {
    const { active, failed_documents, last_error, status } = await request<RagIndex>(
      "GET",
      `/v1/rag/indexes/${index.id}`,
    );
    const done = active.documents + failed_documents;
    draw({ task: `reading ${name}`, done, total: passages.length, unit: "passages" });
    if (status === "ingesting") {
      await Bun.sleep(POLL_MS);
      continue;
    }
    if (failed_documents > 0) {
      const reason = last_error?.message ?? "unknown reason";
      throw new AppError("invalid_request", `${failed_documents} passages of ${name} can't be searched: ${reason}`);
    }
    return { index, passages: passageOf };
  }
};

/** Searches every question by each method. A passage counts once, at the rank of its best chunk. */
const searchCorpus = async (
  { request }: Platform,
  { name, queries }: LabelledCorpus,
  { index, passages }: CorpusIndex,
): Promise<Record<Method, SearchedQuery[]>> => {
  const progress = countProgress(`searching ${name}`, METHODS.length * queries.length, "questions");
  const search = (mode: Method) =>
    inOrder(queries, PARALLEL, async ({ id, query, kind, relevant }): Promise<SearchedQuery> => {
      const body: RagQuery = {
        index: index.id,
        question: query,
        generate: false,
        retrieval: { ...DEFAULT_RETRIEVAL, mode, top_k: TOP_K },
      };
      const { chunks, threshold } = await request<RagAnswer>("POST", "/v1/rag/query", body);
      progress.step();
      const scores = new Map<string, number>();
      for (const { document_id, scores: score } of chunks) {
        const passage = passages.get(document_id) ?? document_id;
        if (!scores.has(passage)) scores.set(passage, score.final);
      }
      const best = threshold?.best ?? null;
      return { id, kind, relevant, ranked: [...scores.keys()], scores: [...scores.values()], best };
    });
  const found = { keyword: await search("keyword"), vector: await search("vector"), hybrid: await search("hybrid") };
  progress.clear();
  return found;
};

/** A line for each question. `no_context`: at the default threshold, it gets the fallback text. */
const predictionLines = (searched: readonly SearchedQuery[], threshold: number): string =>
  searched
    .map(({ id, ranked, scores, best }) => {
      const no_context = ranked.length === 0 || best === null || best < threshold;
      return `${JSON.stringify({ id, ranked, scores, no_context })}\n`;
    })
    .join("");

await runCommand(
  HELP,
  OPTIONS,
  async ({ values, positionals }) => {
    const folder = onlyArgument(positionals, "Name one folder.", HELP);
    const corpora = await readLabelledCorpora(folder);
    // Fails before any work is done if the output can't be written.
    if (values.predictions) await mkdir(values.predictions, { recursive: true });
    if (values.keep) await mkdir(values.keep, { recursive: true });
    const platform = await startPlatform(loadConfig(), { withWorker: true, dataDir: values.keep });
    try {
      const reports: CorpusReport[] = [];
      for (const corpus of corpora) {
        const ingested = await ingestCorpus(platform, corpus);
        const searched = await searchCorpus(platform, corpus, ingested);
        const threshold = DEFAULT_RETRIEVAL.threshold.value;
        const count = (kind: string) => corpus.queries.filter((query) => query.kind === kind).length;
        const report: CorpusReport = {
          name: corpus.name,
          passages: corpus.passages.length,
          answerable: count("answerable"),
          off_corpus: count("off_corpus"),
          unanswerable_near: count("unanswerable_near"),
          methods: Object.fromEntries(METHODS.map((method) => [method, reportMethod(searched[method])])),
          fallback: reportFallback(searched.hybrid, threshold),
        };
        reports.push(report);
        if (values.predictions) {
          const file = join(values.predictions, `retrieval_${corpus.name}.jsonl`);
          await Bun.write(file, predictionLines(searched.hybrid, threshold));
        }
        if (!values.json) console.log(formatReport(report, values.markdown ? "markdown" : "text"));
      }
      if (values.json) console.log(JSON.stringify({ corpora: reports }, null, 2));
      return EXIT.ok;
    } finally {
      await platform.close();
    }
  },
  { takesArguments: true },
);
