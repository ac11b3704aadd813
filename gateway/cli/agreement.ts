import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, onlyArgument, runCommand } from "../../lib/command";
import { AppError } from "../../lib/errors";
import { inOrder } from "../../lib/in-order";
import { countProgress } from "../../lib/progress";
import { loadConfig } from "../../lib/settings";
import {
  answerOf,
  type LabelledFile,
  type LabelledRow,
  readLabelledFiles,
  toCodePoints,
} from "../evals/agreement/labelled-file";
import { type AgreementEntry, formatAgreement, reportAgreement, type ScoredRow } from "../evals/agreement/report";
import { BUILT_IN_CRITERIA } from "../evals/rubric";
import {
  CORRECTNESS_BASELINES,
  type EmbedTexts,
  FAITHFULNESS_BASELINES,
  VECTOR_BASELINES,
} from "../evals/scorers/baselines";
import { embedAnyLength } from "./embed-any-length";
import { type Platform, startPlatform } from "./platform";

const HELP = `Measures how well an evaluator agrees with people: scores labelled answers with the same code as the API.

  bun run agreement FOLDER                        every correctness_*.jsonl and faithfulness_*.jsonl there
  bun run agreement FOLDER --evaluator judge@1    another evaluator; judges use the default chat model
  bun run agreement FOLDER --rows 25              the first rows of each file only
  bun run agreement FOLDER --predictions OUT      also writes each row's score, one file per input file
  bun run agreement FOLDER --json                 for scripts
  bun run agreement FOLDER --docs                 updates the table in docs/evaluation.md

All files are read and checked before the first row is scored. Progress is written to stderr.
The models run in this process, unless GROUNDWIRE_NODES is set.`;

const OPTIONS = {
  evaluator: { type: "string", default: "reference@1" },
  rows: { type: "string" },
  predictions: { type: "string" },
  json: { type: "boolean", default: false },
  docs: { type: "boolean", default: false },
} as const;

/** Number of rows scored in parallel: enough to keep the embedder busy. */
const PARALLEL_ROWS = 8;

const DOCS_FILE = join(import.meta.dir, "../../docs/evaluation.md");
const BEGIN = "<!-- agreement: written by `bun run agreement FOLDER --docs` -->";
const END = "<!-- end of agreement -->";

/** Replaces the tables between the two markers in docs/evaluation.md. */
const writeDocs = async (tables: readonly string[]): Promise<void> => {
  const text = await Bun.file(DOCS_FILE).text();
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before === -1 || after < before)
    throw new Error(`${DOCS_FILE} has no markers for the tables. Add ${BEGIN} and ${END}.`);
  await Bun.write(DOCS_FILE, `${text.slice(0, before)}${BEGIN}\n\n${tables.join("\n\n")}\n\n${text.slice(after)}`);
};

/** Vectors from the default embedding model. The same text is only embedded once. */
const embedOnce = ({ services, call }: Platform): EmbedTexts => {
  const known = new Map<string, Promise<Float32Array>>();
  return (texts) => {
    const missing = [...new Set(texts)].filter((text) => !known.has(text));
    const embedded = missing.length > 0 ? embedAnyLength(services.embeddings, call(), missing) : Promise.resolve([]);
    for (const [at, text] of missing.entries())
      known.set(
        text,
        embedded.then((vectors) => vectors[at] ?? new Float32Array()),
      );
    return Promise.all(texts.map(async (text) => (await known.get(text)) ?? new Float32Array()));
  };
};

/** The scores of the simple scorers, by name. Higher is better. */
const simpleScores = async (row: LabelledRow, embed: EmbedTexts): Promise<Record<string, number>> => {
  const isCorrectness = row.task === "correctness";
  const answer = answerOf(row);
  const scores: Record<string, number> = {};
  for (const [name, score] of Object.entries(isCorrectness ? CORRECTNESS_BASELINES : FAITHFULNESS_BASELINES))
    scores[name] = score(answer);
  for (const [name, score] of Object.entries(isCorrectness ? VECTOR_BASELINES : {}))
    scores[name] = await score(answer, embed);
  return scores;
};

/**
 * Compares an evaluator and simple scorers with the labels of a file. Simple scorers get the best threshold for its
 * rows.
 */
const compareFile = async (
  platform: Platform,
  evaluator: string,
  { name, task, rows }: LabelledFile,
  onRow: () => void,
) => {
  const { services, call } = platform;
  const embed = embedOnce(platform);
  const scored = await inOrder(rows, PARALLEL_ROWS, async (row) => {
    const how = { evaluators: [evaluator], rubric: { criteria: [task] } };
    const [score] = await services.evals.score(call(), how, answerOf(row));
    const simple = await simpleScores(row, embed);
    onRow();
    return { row, score, simple };
  });
  const judged = scored.flatMap(({ row, score }) => {
    if (score?.value == null || score.passed === null) return [];
    const predicted = row.task === "faithfulness" ? score.claims.flatMap(({ unsupported }) => unsupported) : undefined;
    return [{ row, score: score.value, passed: score.passed, predicted }];
  });
  const entries: AgreementEntry[] = [];
  if (judged.length > 0) {
    const own = judged.map(({ row, score, predicted = [] }): ScoredRow => {
      const expected = row.task === "faithfulness" ? row.spans : undefined;
      return { ...row, score, spans: expected && { expected, predicted } };
    });
    const threshold = BUILT_IN_CRITERIA.find((each) => each.name === task)?.threshold ?? 0.5;
    entries.push({ name: evaluator, report: reportAgreement(own, threshold) });
  }
  for (const simple of Object.keys(scored[0]?.simple ?? {})) {
    const own = scored.map((each): ScoredRow => ({ ...each.row, score: each.simple[simple] ?? 0, spans: undefined }));
    entries.push({ name: simple, report: reportAgreement(own, "best") });
  }
  /** One line per row: `id`, `score`, `label`, and for faithfulness `spans` as pairs of code point offsets. */
  const predictions = judged.map(({ row: { id, answer }, score, passed, predicted }) => {
    const spans = predicted?.map((span) => toCodePoints(answer, span)).map(({ start, end }) => [start, end]);
    return `${JSON.stringify({ id, score, label: Number(passed), spans })}\n`;
  });
  return { name, entries, predictions, unscored: scored.length - judged.length };
};

type FileReport = Awaited<ReturnType<typeof compareFile>>;

const toText = ({ name, entries, unscored }: FileReport, format: "text" | "markdown"): string => {
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
      throw new AppError("invalid_request", `--rows is "${values.rows}". Use a whole number of at least 1.`);
    }
    const files = (await readLabelledFiles(folder)).map((file) => ({ ...file, rows: file.rows.slice(0, most) }));
    // Fails before any work is done if the output can't be written.
    if (values.predictions) await mkdir(values.predictions, { recursive: true });
    const platform = await startPlatform(loadConfig(), { withChat: !values.evaluator.startsWith("reference@") });
    try {
      await platform.services.evaluators.choose([values.evaluator]);
      const total = files.reduce((sum, { rows }) => sum + rows.length, 0);
      const progress = countProgress(values.evaluator, total, "rows");
      const reports: FileReport[] = [];
      for (const file of files) {
        const report = await compareFile(platform, values.evaluator, file, () => progress.step());
        progress.clear();
        reports.push(report);
        if (values.predictions)
          await Bun.write(join(values.predictions, `${report.name}.jsonl`), report.predictions.join(""));
        if (!values.json && !values.docs) console.log(`${toText(report, "text")}\n`);
      }
      if (values.json) {
        const files = reports.map(({ name, unscored, entries }) => ({
          file: name,
          unscored,
          scorers: entries.map(({ name: scorer, report }) => ({ name: scorer, ...report })),
        }));
        console.log(JSON.stringify({ evaluator: values.evaluator, files }, null, 2));
      }
      if (values.docs) await writeDocs(reports.map((report) => toText(report, "markdown")));
      return EXIT.ok;
    } finally {
      await platform.close();
    }
  },
  { takesArguments: true },
);
