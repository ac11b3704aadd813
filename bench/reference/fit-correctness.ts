import { join } from "node:path";
import { startPlatform } from "../../gateway/cli/agreement/platform";
import { type LabelledFile, type LabelledRow, readLabelledFiles } from "../../gateway/evals/agreement/labelled-file";
import { CORRECTNESS_BASELINES } from "../../gateway/evals/scorers/baselines";
import { CORRECTNESS_FEATURES, findCorrectness } from "../../gateway/evals/scorers/correctness/correctness-features";
import type { EmbedTexts } from "../../gateway/evals/scorers/embedding";
import { auroc, bestThreshold } from "../../gateway/evals/statistics/auroc";
import { EXIT, runCommand } from "../../lib/command";
import { AppError } from "../../lib/errors";
import { countProgress } from "../../lib/progress";
import { loadConfig } from "../../lib/settings";
import { GIVEN, L2, SIGNS } from "./correctness";
import { embedOn, openVectorCache } from "./embeddings";
import { type FitOptions, fitLogistic, type LogisticModel, roundWeight } from "./logistic";
import {
  balancedAccuracyAt,
  centreBias,
  type GroupedExample,
  heldOutAccuracy,
  heldOutLogits,
  nestedLogits,
} from "./validation";

const HELP = `Fits the correctness of reference@1 to answers that people have labelled, and writes its weights.

  bun bench/reference/fit-correctness.ts FOLDER                 prints held-out figures beside the simple scorers'
  bun bench/reference/fit-correctness.ts FOLDER --dry           writes nothing
  bun bench/reference/fit-correctness.ts FOLDER --cache FILE    keeps vectors in a file for the next time

Held-out: cross-validation over groups in ten folds, the mean of three seeds. Thresholds are fitted to the other folds.`;

const OPTIONS = {
  dry: { type: "boolean", default: false },
  cache: { type: "string" },
} as const;

const SEEDS = [1, 2, 3];
const OUT = join(import.meta.dir, "../../gateway/evals/scorers/correctness/correctness-model.ts");

interface FitRow extends GroupedExample {
  file: string;
  simple: number[];
}

const rowOf = async (row: LabelledRow, file: string, embed: EmbedTexts): Promise<FitRow | undefined> => {
  if (row.task !== "correctness") return undefined;
  const answer = { question: row.question, references: row.references, contexts: [], output: row.answer };
  const { features } = await findCorrectness(answer, embed);
  const simple: number[] = [];
  for (const score of Object.values(CORRECTNESS_BASELINES)) simple.push(await score(answer, embed));
  const values = CORRECTNESS_FEATURES.map((name) => features[name]);
  return { features: values, label: row.label, group: row.group, file, simple };
};

const readRows = async (files: readonly LabelledFile[], embed: EmbedTexts): Promise<FitRow[]> => {
  const rows: FitRow[] = [];
  const total = files.reduce((sum, file) => sum + file.rows.length, 0);
  const progress = countProgress("reading answers", total, "rows");
  for (const file of files) {
    for (const labelled of file.rows) {
      const row = await rowOf(labelled, file.name, embed);
      if (row) rows.push(row);
      progress.step();
    }
  }
  return rows;
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const line = (name: string, figures: readonly number[]): string =>
  `  ${name.padEnd(44)}${figures.map((figure) => figure.toFixed(3).padStart(9)).join("")}`;

/** AUROC and balanced accuracy of held-out scores for the rows of one file, beside the simple scorers'. */
const report = (rows: readonly FitRow[], heldOut: readonly number[][], file: string): string => {
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
  const lines = Object.keys(CORRECTNESS_BASELINES).map((name, index) => {
    const scores = own.map((at) => rows[at]?.simple[index] ?? 0);
    const some = own.flatMap((at) => rows[at] ?? []);
    return line(name, [...figuresOf(scores, bestThreshold(labels, scores)), heldOutAccuracy(some, scores, SEEDS)]);
  });
  const held = [0, 1].map((figure) => mean(runs.map((run) => run[figure] ?? 0)));
  return [`${file}: ${own.length} rows`, line("", []).trimEnd(), line("held out", held), ...lines].join("\n");
};

const sourceOf = (model: LogisticModel): string => {
  const entries = CORRECTNESS_FEATURES.map((name, index) => `    ${name}: ${roundWeight(model.weights[index] ?? 0)},`);
  return `import type { LogisticModel } from "../logistic";
import type { CorrectnessFeature } from "./correctness-features";

/** Written by \`bun bench/reference/fit-correctness.ts FOLDER\`. A released version never changes: a new fit is a new version. */
export const CORRECTNESS_MODEL = {
  bias: ${roundWeight(model.bias)},
  weights: {
${entries.join("\n")}
  },
} satisfies LogisticModel<CorrectnessFeature>;
`;
};

const fit = async (files: readonly LabelledFile[], embed: EmbedTexts, isDry: boolean): Promise<void> => {
  const rows = await readRows(files, embed);
  const options: FitOptions = {
    signs: CORRECTNESS_FEATURES.map((name) => SIGNS[name]),
    given: CORRECTNESS_FEATURES.map((name) => GIVEN[name]),
    l2: L2,
  };
  const fitting = countProgress("fitting", SEEDS.length, "seeds");
  const heldOut = SEEDS.map((seed) => {
    const logits = nestedLogits(rows, options, seed);
    fitting.step();
    return logits;
  });
  console.log(
    `${" ".repeat(50)}AUROC  balanced accuracy: simple scorers by the best threshold, and by held-out ones\n`,
  );
  for (const file of new Set(rows.map((row) => row.file))) console.log(`${report(rows, heldOut, file)}\n`);

  const bySeed = SEEDS.map((seed) => heldOutLogits(rows, options, seed));
  const logits = rows.map((_, at) => mean(bySeed.map((values) => values[at] ?? 0)));
  const source = sourceOf(centreBias(fitLogistic(rows, options), rows, logits));
  console.log(source.slice(source.indexOf("export")));
  if (!isDry) await Bun.write(OUT, source);
};

await runCommand(HELP, OPTIONS, async ({ values, positionals }) => {
  const [folder, ...rest] = positionals;
  if (folder === undefined || rest.length > 0) throw new AppError("invalid_request", `Name one folder.\n\n${HELP}`);
  const files = (await readLabelledFiles(folder)).filter(({ task }) => task === "correctness");
  const remember = await openVectorCache(values.cache);
  const platform = await startPlatform(loadConfig(), false);
  try {
    await fit(files, remember(embedOn(platform)), values.dry);
    return EXIT.ok;
  } finally {
    await platform.close();
  }
});
