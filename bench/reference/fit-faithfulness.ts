import { join } from "node:path";
import { startPlatform } from "../../gateway/cli/agreement/platform";
import { type LabelledFile, readLabelledFiles } from "../../gateway/evals/agreement/labelled-file";
import { FAITHFULNESS_BASELINES } from "../../gateway/evals/scorers/baselines";
import type { EmbedTexts } from "../../gateway/evals/scorers/embedding";
import type { FaithfulnessModel } from "../../gateway/evals/scorers/faithfulness/faithfulness-features";
import type { LogisticModel } from "../../gateway/evals/scorers/logistic";
import { auroc, bestThreshold } from "../../gateway/evals/statistics/auroc";
import { EXIT, runCommand } from "../../lib/command";
import { AppError } from "../../lib/errors";
import { countProgress } from "../../lib/progress";
import { loadConfig } from "../../lib/settings";
import { embedOn, openVectorCache } from "./embeddings";
import { centre, type FaithfulnessRow, fitModel, logitOf, SHAPES } from "./faithfulness";
import { answerOf, readRows } from "./faithfulness-rows";
import { foldsOf } from "./folds";
import { roundWeight } from "./logistic";
import { balancedAccuracyAt, heldOutAccuracy } from "./validation";

const HELP = `Fits the faithfulness of reference@1 to answers that people have labelled, and writes its weights.

  bun bench/reference/fit-faithfulness.ts FOLDER                 prints held-out figures beside the simple scorers'
  bun bench/reference/fit-faithfulness.ts FOLDER --dry           writes nothing
  bun bench/reference/fit-faithfulness.ts FOLDER --cache FILE    keeps vectors in a file for the next time
  bun bench/reference/fit-faithfulness.ts FOLDER --seeds 1       fewer splits

Held-out: cross-validation over groups in five folds, the mean of the seeds. Thresholds come from the other folds.`;

const OPTIONS = {
  dry: { type: "boolean", default: false },
  cache: { type: "string" },
  seeds: { type: "string", default: "3" },
} as const;

const FOLDS = 5;
const OUT = join(import.meta.dir, "../../gateway/evals/scorers/faithfulness/faithfulness-model.ts");

/** Log-odds of rows by models, and thresholds, that have not seen their groups. */
const heldOut = (rows: readonly FaithfulnessRow[], seed: number): number[] => {
  const folds = foldsOf(
    rows.map(({ group }) => group),
    FOLDS,
    seed,
  );
  const models = Array.from({ length: FOLDS }, (_, fold) => {
    const others = rows.filter((_, at) => folds[at] !== fold);
    const model = fitModel(others);
    return centre(
      model,
      others,
      others.map((row) => logitOf(model, row)),
    );
  });
  return rows.map((row, at) => {
    const model = models[folds[at] ?? 0];
    return model ? logitOf(model, row) : 0;
  });
};

const countRows = (files: readonly LabelledFile[]): number => files.reduce((sum, { rows }) => sum + rows.length, 0);

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const figuresOf = (rows: readonly FaithfulnessRow[], scores: readonly number[], threshold: number | "best") => {
  const labels = rows.map(({ label }) => label === 1);
  const cut = threshold === "best" ? bestThreshold(labels, scores) : threshold;
  return [auroc(labels, scores) ?? Number.NaN, balancedAccuracyAt(labels, scores, cut)] as const;
};

const line = (name: string, figures: readonly number[]): string =>
  `  ${name.padEnd(32)}${figures.map((figure) => figure.toFixed(3).padStart(8)).join("")}`;

const reportOn = (
  name: string,
  rows: readonly FaithfulnessRow[],
  keep: (row: FaithfulnessRow) => boolean,
  runs: readonly number[][],
) => {
  const own = rows.flatMap((row, at) => (keep(row) ? [at] : []));
  const some = rows.filter(keep);
  const figures = runs.map((logits) =>
    figuresOf(
      some,
      own.map((at) => logits[at] ?? 0),
      0,
    ),
  );
  console.log(line(name, [mean(figures.map(([area]) => area)), mean(figures.map(([, accuracy]) => accuracy))]));
};

const report = (rows: readonly FaithfulnessRow[], runs: readonly number[][]): void => {
  console.log(`${" ".repeat(34)}   AUROC  balanced accuracy`);
  for (const file of new Set(rows.map((row) => row.file))) {
    reportOn(file, rows, (row) => row.file === file, runs);
    for (const shape of SHAPES) {
      for (const asked of [true, false]) {
        const keep = (row: FaithfulnessRow) =>
          row.file === file && row.read.shape === shape && row.hasQuestion === asked;
        const count = rows.filter(keep).length;
        if (count > 30) reportOn(`  ${shape}${asked ? ", asked" : ""}: ${count}`, rows, keep, runs);
      }
    }
  }
};

const toSource = <Feature extends string>({ bias, weights }: LogisticModel<Feature>): string =>
  JSON.stringify({
    bias: roundWeight(bias),
    weights: Object.fromEntries(
      Object.entries<number | undefined>(weights).map(([name, weight]) => [name, roundWeight(weight ?? 0)]),
    ),
  });

const sourceOf = (
  model: FaithfulnessModel,
): string => `import type { FaithfulnessModel } from "./faithfulness-features";

/** Written by \`bun bench/reference/fit-faithfulness.ts FOLDER\`. A released version never changes: a new fit is a new version. */
export const FAITHFULNESS_MODEL: FaithfulnessModel = {
${SHAPES.map((shape) => `  ${shape}: { claim: ${toSource(model[shape].claim)}, answer: ${toSource(model[shape].answer)} },`).join("\n")}
};
`;

const reportSimple = async (
  files: readonly LabelledFile[],
  embed: EmbedTexts,
  seeds: readonly number[],
): Promise<void> => {
  const progress = countProgress("simple scorers", countRows(files), "rows");
  for (const { name: file, rows: labelled } of files) {
    const rows = labelled.filter((row) => row.task === "faithfulness");
    const scoresOf = new Map(Object.keys(FAITHFULNESS_BASELINES).map((name): [string, number[]] => [name, []]));
    for (const row of rows) {
      for (const [name, score] of Object.entries(FAITHFULNESS_BASELINES))
        scoresOf.get(name)?.push(await score(answerOf(row), embed));
      progress.step();
    }
    progress.clear();
    console.log(`${file}, simple scorers: best threshold for these rows, and threshold from other folds`);
    const labels = rows.map(({ label }) => label === 1);
    for (const [name, scores] of scoresOf) {
      console.log(
        line(name, [
          auroc(labels, scores) ?? Number.NaN,
          balancedAccuracyAt(labels, scores, bestThreshold(labels, scores)),
          heldOutAccuracy(rows, scores, seeds),
        ]),
      );
    }
  }
};

await runCommand(HELP, OPTIONS, async ({ values, positionals }) => {
  const [folder, ...rest] = positionals;
  if (folder === undefined || rest.length > 0) throw new AppError("invalid_request", `Name one folder.\n\n${HELP}`);
  const seedCount = Number(values.seeds);
  if (!(Number.isInteger(seedCount) && seedCount >= 1 && seedCount <= 100))
    throw new AppError("invalid_request", `--seeds is "${values.seeds}". Give a whole number from 1 to 100.`);
  const files = (await readLabelledFiles(folder)).filter(({ task }) => task === "faithfulness");
  const remember = await openVectorCache(values.cache);
  const platform = await startPlatform(loadConfig(), false);
  try {
    const embed = remember(embedOn(platform));
    const reading = countProgress("reading answers", countRows(files), "rows");
    const rows = await readRows(files, embed, () => reading.step());
    const seeds = Array.from({ length: seedCount }, (_, index) => index + 1);
    const fitting = countProgress("fitting", seedCount, "seeds");
    const runs = seeds.map((seed) => {
      const logits = heldOut(rows, seed);
      fitting.step();
      return logits;
    });
    report(rows, runs);
    await reportSimple(files, embed, seeds);
    if (values.dry) return EXIT.ok;
    const model = fitModel(rows);
    const logits = rows.map((_, at) => mean(runs.map((run) => run[at] ?? 0)));
    await Bun.write(
      OUT,
      sourceOf(
        centre(
          model,
          rows,
          rows.map((row) => logitOf(model, row)),
        ),
      ),
    );
    console.log(
      `Wrote ${OUT}. Held-out log-odds: ${figuresOf(rows, logits, 0)
        .map((figure) => figure.toFixed(3))
        .join(", ")} over all rows.`,
    );
    return EXIT.ok;
  } finally {
    await platform.close();
  }
});
