import { join } from "node:path";
import { startPlatform } from "../../gateway/cli/agreement/platform";
import { bestThreshold } from "../../gateway/evals/agreement/best-threshold";
import { listLabelledFiles, readLabelledFile } from "../../gateway/evals/agreement/labelled-file";
import type { LabelledRow } from "../../gateway/evals/agreement/labelled-row";
import { embedAnyLength } from "../../gateway/evals/reference/embed";
import type { EmbedTexts, ScoredAnswer } from "../../gateway/evals/scorers/types";
import { auroc } from "../../gateway/evals/statistics/auroc";
import { EXIT, runCommand } from "../../lib/command";
import { AppError } from "../../lib/errors";
import { loadConfig } from "../../lib/settings";
import { CORRECTNESS_TASK } from "./correctness";
import { cachedEmbeddings } from "./embeddings";
import { type FitOptions, fitLogistic, type LogisticModel } from "./logistic";
import type { FitTask } from "./task";
import { balancedAccuracyAt, centreBias, type GroupedExample, heldOutLogits, nestedLogits } from "./validation";

const HELP = `Fits the models of reference@1 to answers that people have labelled, and writes their weights.

  bun bench/reference/fit.ts FOLDER                 prints held-out figures beside the simple scorers', writes weights
  bun bench/reference/fit.ts FOLDER --dry           writes nothing
  bun bench/reference/fit.ts FOLDER --task NAME     correctness or faithfulness only
  bun bench/reference/fit.ts FOLDER --cache FILE    keeps vectors in a file for the next time

Held-out: cross-validation over groups in ten folds, the mean of three seeds. Thresholds are fitted to the other folds.`;

const OPTIONS = {
  dry: { type: "boolean", default: false },
  task: { type: "string" },
  cache: { type: "string" },
} as const;

const TASKS: readonly FitTask[] = [CORRECTNESS_TASK];
const SEEDS = [1, 2, 3];
const ROOT = join(import.meta.dir, "../..");
/** Texts of one request for vectors. */
const TEXTS_AT_ONCE = 64;

interface FitRow extends GroupedExample {
  file: string;
  simple: number[];
}

const answerOf = (row: LabelledRow): ScoredAnswer =>
  row.task === "correctness"
    ? { question: row.question, references: row.references, contexts: [], output: row.answer }
    : { question: row.question, references: [], contexts: [row.context], output: row.answer };

const rowsOf = async ({ task, signs, featuresOf, baselines }: FitTask, folder: string, embed: EmbedTexts) => {
  const rows: FitRow[] = [];
  for (const file of await listLabelledFiles(folder)) {
    for (const row of await readLabelledFile(file)) {
      if (row.task !== task) continue;
      const features = await featuresOf(answerOf(row), embed);
      const simple: number[] = [];
      for (const score of Object.values(baselines)) simple.push(await score(answerOf(row), embed));
      rows.push({
        features: Object.keys(signs).map((name) => features[name] ?? 0),
        label: row.label,
        group: row.group,
        file: file.replace(/^.*[/\\]|\.jsonl$/g, ""),
        simple,
      });
    }
  }
  return rows;
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const line = (name: string, figures: readonly number[], note = ""): string =>
  `  ${name.padEnd(44)}${figures.map((figure) => figure.toFixed(4).padStart(9)).join("")}  ${note}`;

/** AUROC and balanced accuracy of held-out scores for the rows of one file, beside the simple scorers'. */
const report = (task: FitTask, rows: readonly FitRow[], heldOut: readonly number[][], file: string): string => {
  const own = rows.flatMap((row, at) => (row.file === file ? [at] : []));
  const labels = own.map((at) => rows[at]?.label === 1);
  const figuresOf = (scores: readonly number[], threshold: number) => [
    auroc(labels, scores) ?? Number.NaN,
    balancedAccuracyAt(labels, scores, threshold),
  ];
  const runs = heldOut.map((logits) =>
    figuresOf(
      own.map((at) => logits[at] ?? 0),
      0,
    ),
  );
  const lines = Object.keys(task.baselines).map((name, index) => {
    const scores = own.map((at) => rows[at]?.simple[index] ?? 0);
    return line(name, figuresOf(scores, bestThreshold(labels, scores)), "best threshold for these rows");
  });
  const held = [0, 1].map((figure) => mean(runs.map((run) => run[figure] ?? 0)));
  return [`${file}: ${own.length} rows`, line("", []).trimEnd(), line("held out", held), ...lines].join("\n");
};

const sourceOf = ({ weights, signs }: FitTask, model: LogisticModel): string => {
  const entries = Object.keys(signs).map((name, index) => `    ${name}: ${round(model.weights[index] ?? 0)},`);
  return `import type { LogisticModel } from "${weights.modelModule}";
import type { ${weights.featureType} } from "${weights.featureModule}";

/** Written by \`bun bench/reference/fit.ts FOLDER\`. A released version never changes: a new fit is a new version. */
export const ${weights.name}: LogisticModel<${weights.featureType}> = {
  bias: ${round(model.bias)},
  weights: {
${entries.join("\n")}
  },
};
`;
};

const round = (value: number): number => Number(value.toFixed(4)) + 0;

const fitTask = async (task: FitTask, folder: string, embed: EmbedTexts, isDry: boolean): Promise<void> => {
  const rows = await rowsOf(task, folder, embed);
  if (rows.length === 0) return;
  const options: FitOptions = {
    signs: Object.values(task.signs),
    given: Object.keys(task.signs).map((name) => task.given[name]),
    l2: task.l2,
  };
  const heldOut = SEEDS.map((seed) => nestedLogits(rows, options, seed));
  console.log(`\n${task.task.toUpperCase()}${" ".repeat(36)}AUROC  balanced accuracy\n`);
  for (const file of new Set(rows.map((row) => row.file))) console.log(`${report(task, rows, heldOut, file)}\n`);

  const logits = rows.map((_, at) => mean(SEEDS.map((seed) => heldOutLogits(rows, options, seed)[at] ?? 0)));
  const model = centreBias(fitLogistic(rows, options), rows, logits);
  const source = sourceOf(task, model);
  console.log(source.slice(source.indexOf("export")));
  if (!isDry) await Bun.write(join(ROOT, task.weights.path), source);
};

await runCommand(HELP, OPTIONS, async ({ values, positionals }) => {
  const [folder, ...rest] = positionals;
  if (folder === undefined || rest.length > 0) throw new AppError("invalid_request", `Name one folder.\n\n${HELP}`);
  const platform = await startPlatform(loadConfig(), false);
  try {
    const direct: EmbedTexts = async (texts) => {
      const vectors: Float32Array[] = [];
      for (let from = 0; from < texts.length; from += TEXTS_AT_ONCE) {
        const part = texts.slice(from, from + TEXTS_AT_ONCE);
        vectors.push(...(await embedAnyLength(platform.services.embeddings, platform.call(), part)).vectors);
      }
      return vectors;
    };
    const embed = values.cache ? await cachedEmbeddings(values.cache, direct) : direct;
    for (const task of TASKS) {
      if (values.task === undefined || values.task === task.task) await fitTask(task, folder, embed, values.dry);
    }
    return EXIT.ok;
  } finally {
    await platform.close();
  }
});
