import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, onlyArgument, runCommand } from "../../lib/command";
import { AppError } from "../../lib/errors";
import { countProgress } from "../../lib/progress";
import { loadConfig } from "../../lib/settings";
import { type Compared, compareRows, type ScoreRow, type SimpleScore } from "../evals/agreement/compare";
import { formatAgreement, predictionLine, reportToWire } from "../evals/agreement/format";
import { type LabelledFile, type LabelledRow, readLabelledFiles } from "../evals/agreement/labelled-file";
import { BUILT_IN_CRITERIA } from "../evals/rubric";
import {
  CORRECTNESS_BASELINES,
  type EmbedTexts,
  FAITHFULNESS_BASELINES,
  VECTOR_BASELINES,
} from "../evals/scorers/baselines";
import { embedAnyLength } from "./agreement/embed";
import { type Platform, startPlatform } from "./agreement/platform";

const HELP = `Measures how well an evaluator agrees with people: scores labelled answers with the code of the API.

  bun run agreement FOLDER                        every correctness_*.jsonl and faithfulness_*.jsonl there
  bun run agreement FOLDER --evaluator judge@1    another evaluator; judges ask the default chat model
  bun run agreement FOLDER --rows 25              the first rows of each file only
  bun run agreement FOLDER --predictions OUT      also writes each row's score, one file per input file
  bun run agreement FOLDER --json                 for scripts
  bun run agreement FOLDER --docs                 updates the table in docs/evaluation.md

All files are read and checked before the first row is scored. Progress is written to stderr.
The models run in this process, unless GROUNDWIRE_NODES names nodes.`;

const OPTIONS = {
  evaluator: { type: "string", default: "reference@1" },
  rows: { type: "string" },
  predictions: { type: "string" },
  json: { type: "boolean", default: false },
  docs: { type: "boolean", default: false },
} as const;

/** Rows that are scored at the same time: enough to keep the embedder busy. */
const PARALLEL = 8;

const DOCS_FILE = join(import.meta.dir, "../../docs/evaluation.md");
const BEGIN = "<!-- agreement: written by `bun run agreement FOLDER --docs` -->";
const END = "<!-- end of agreement -->";

/** Reads docs/evaluation.md, where two markers enclose the tables. Throws if a marker is missing. */
const openAgreementDocs = async () => {
  const text = await Bun.file(DOCS_FILE).text();
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before === -1 || after < before)
    throw new Error(`${DOCS_FILE} has no markers for the tables. Add ${BEGIN} and ${END}.`);
  return {
    write: async (tables: readonly string[]): Promise<void> => {
      await Bun.write(DOCS_FILE, `${text.slice(0, before)}${BEGIN}\n\n${tables.join("\n\n")}\n\n${text.slice(after)}`);
    },
  };
};

const answerOf = (row: LabelledRow) =>
  row.task === "correctness"
    ? { question: row.question, references: row.references, contexts: [], output: row.answer }
    : { question: row.question, references: [], contexts: [row.context], output: row.answer };

const scorerOf =
  ({ services, call }: Platform, evaluator: string): ScoreRow =>
  async (row) => {
    const how = { evaluators: [evaluator], rubric: { criteria: [row.task] } };
    const [score] = await services.evals.score(call(), how, answerOf(row));
    if (score?.value == null || score.passed === null) return undefined;
    const spans = row.task === "faithfulness" ? score.claims.flatMap(({ unsupported }) => unsupported) : undefined;
    return { score: score.value, decision: score.passed, spans };
  };

const simpleScorers = (task: LabelledRow["task"], embed: EmbedTexts): Record<string, SimpleScore> => {
  const isCorrectness = task === "correctness";
  const byWords = Object.entries(isCorrectness ? CORRECTNESS_BASELINES : FAITHFULNESS_BASELINES);
  const byVectors = Object.entries(isCorrectness ? VECTOR_BASELINES : {});
  return Object.fromEntries<SimpleScore>([
    ...byWords.map(([name, score]): [string, SimpleScore] => [name, async (row) => score(answerOf(row))]),
    ...byVectors.map(([name, score]): [string, SimpleScore] => [name, (row) => score(answerOf(row), embed)]),
  ]);
};

/** The vectors of the default embedding model. Equal texts are embedded once. */
const embedOnce = ({ services, call }: Platform): EmbedTexts => {
  const known = new Map<string, Promise<Float32Array>>();
  return (texts) => {
    const missing = [...new Set(texts)].filter((text) => !known.has(text));
    const vectors = missing.length > 0 ? embedAnyLength(services.embeddings, call(), missing) : Promise.resolve([]);
    for (const [at, text] of missing.entries())
      known.set(
        text,
        vectors.then((all) => all[at] ?? new Float32Array()),
      );
    return Promise.all(texts.map(async (text) => (await known.get(text)) ?? new Float32Array()));
  };
};

interface FileReport {
  name: string;
  compared: Compared;
}

const compareFile = async (
  platform: Platform,
  evaluator: string,
  { name, task, rows }: LabelledFile,
  onRow: () => void,
): Promise<FileReport> => {
  const criterion = BUILT_IN_CRITERIA.find((each) => each.name === task);
  const compared = await compareRows(rows, {
    evaluator: { name: evaluator, score: scorerOf(platform, evaluator) },
    threshold: criterion?.threshold ?? 0.5,
    simple: simpleScorers(task, embedOnce(platform)),
    parallel: PARALLEL,
    onRow,
  });
  return { name, compared };
};

const toJson = ({ name, compared: { entries, unscored } }: FileReport) => ({
  file: name,
  unscored,
  scorers: entries.map((entry) => ({ name: entry.name, ...reportToWire(entry.report) })),
});

const toText = ({ name, compared: { entries, unscored } }: FileReport, format: "text" | "markdown"): string => {
  const table = formatAgreement(name, entries, format);
  return unscored === 0 ? table : `${table}\n${unscored} rows could not be scored and are excluded.`;
};

await runCommand(
  HELP,
  OPTIONS,
  async ({ values, positionals }) => {
    const folder = onlyArgument(positionals, "Name one folder.", HELP);
    const most = values.rows === undefined ? undefined : Number(values.rows);
    if (most !== undefined && !(Number.isInteger(most) && most > 0)) {
      throw new AppError("invalid_request", `--rows is "${values.rows}". Give a whole number from 1.`);
    }
    const files = (await readLabelledFiles(folder)).map((file) => ({ ...file, rows: file.rows.slice(0, most) }));
    // Fails before the work starts if the output can't be written.
    if (values.predictions) await mkdir(values.predictions, { recursive: true });
    const docs = values.docs ? await openAgreementDocs() : undefined;
    const platform = await startPlatform(loadConfig(), !values.evaluator.startsWith("reference@"));
    try {
      await platform.services.evaluators.choose([values.evaluator]);
      const total = files.reduce((sum, { rows }) => sum + rows.length, 0);
      const progress = countProgress(values.evaluator, total, "rows");
      const reports: FileReport[] = [];
      for (const file of files) {
        const report = await compareFile(platform, values.evaluator, file, () => progress.step());
        progress.clear();
        reports.push(report);
        if (values.predictions) {
          const lines = report.compared.predictions.map(predictionLine).join("");
          await Bun.write(join(values.predictions, `${file.name}.jsonl`), lines);
        }
        if (!values.json && !values.docs) console.log(`${toText(report, "text")}\n`);
      }
      if (values.json)
        console.log(JSON.stringify({ evaluator: values.evaluator, files: reports.map(toJson) }, null, 2));
      await docs?.write(reports.map((report) => toText(report, "markdown")));
      return EXIT.ok;
    } finally {
      await platform.close();
    }
  },
  { takesArguments: true },
);
