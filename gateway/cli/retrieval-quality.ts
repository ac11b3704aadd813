import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, onlyArgument, runCommand } from "../../lib/command";
import { loadConfig } from "../../lib/settings";
import { DEFAULT_RETRIEVAL } from "../rag/indexes/defaults";
import { readLabelledCorpora } from "../rag/quality/labelled-corpus";
import {
  type CorpusReport,
  formatReport,
  reportFallback,
  reportMethod,
  type SearchedQuery,
} from "../rag/quality/report";
import { startPlatform } from "./retrieval-quality/platform";
import { ingestCorpus, METHODS, searchCorpus } from "./retrieval-quality/search-corpus";

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
    const platform = await startPlatform(loadConfig(), values.keep);
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
