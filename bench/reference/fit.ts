import { type LabelledFile, readLabelledFiles } from "../../gateway/evals/agreement/labelled-file";
import { auroc } from "../../gateway/evals/statistics/auroc";
import { EXIT, runCommand } from "../../lib/command";
import { AppError } from "../../lib/errors";
import { correctnessTask } from "./correctness";
import { eliminate } from "./eliminate";
import { faithfulnessTask } from "./faithfulness";
import type { FitRow, Task } from "./task";
import { ALL, heldOut, leftOut, setsOf, simpleFigures } from "./validation";

const HELP = `Fits reference@1 to answers that people have labelled, and writes its weights.

  bun bench/reference/fit.ts FOLDER                prints figures beside the simple scorers', and writes the weights
  bun bench/reference/fit.ts FOLDER --dry          writes nothing
  bun bench/reference/fit.ts FOLDER --eliminate    removes one feature after another, with a fit each; writes nothing
  bun bench/reference/fit.ts FOLDER --seeds 1      fewer splits

Held out: cross-validation over groups in ten folds, the mean of the seeds. Left out: a model that was fitted to the
other sets. Simple scorers have thresholds from the other folds.`;

const OPTIONS = {
  dry: { type: "boolean", default: false },
  eliminate: { type: "boolean", default: false },
  seeds: { type: "string", default: "3" },
} as const;

const line = (name: string, figures: readonly number[]): string =>
  `  ${name.padEnd(28)}${figures.map((figure) => figure.toFixed(3).padStart(10)).join("")}`;

const report = <Row extends FitRow>(task: Task<Row>, seeds: readonly number[]): void => {
  const features = new Set(task.features);
  const [held, left] = [heldOut(task, features, seeds), leftOut(task, features)];
  const names = Object.keys(task.rows[0]?.simple ?? {});
  console.log(`\n${task.name}${" ".repeat(20)}     AUROC  accuracy (balanced)`);
  for (const set of [...setsOf(task.rows), ALL]) {
    const rows = task.rows.filter((row) => row.set === set || set === ALL);
    console.log(`${set}: ${rows.length}`);
    for (const [name, figures] of [["held out", held] as const, ["left out", left] as const]) {
      const found = figures.get(set);
      if (found) console.log(line(name, [found.auroc, found.accuracy]));
    }
    for (const name of names) {
      const { auroc: area, accuracy } = simpleFigures(rows, name, seeds);
      console.log(line(name, [area, accuracy]));
    }
  }
  const { logitOf } = task.fit(task.rows, features);
  const { name, rows } = task.probe;
  const labels = rows.map(({ label }) => label === 1);
  console.log(`probe, ${name}: ${rows.length} rows`);
  console.log(line("reference@1", [auroc(labels, rows.map(logitOf)) ?? Number.NaN]));
  for (const simple of names)
    console.log(
      line(simple, [
        auroc(
          labels,
          rows.map((row) => row.simple[simple] ?? 0),
        ) ?? Number.NaN,
      ]),
    );
};

const run = async <Row extends FitRow>(
  task: Task<Row>,
  seeds: readonly number[],
  { dry, eliminate: isElimination }: { dry: boolean; eliminate: boolean },
): Promise<void> => {
  if (isElimination) return eliminate(task, seeds);
  report(task, seeds);
  const { source } = task.fit(task.rows, new Set(task.features));
  console.log(source.slice(source.indexOf("export")));
  if (!dry) await Bun.write(task.out, source);
};

await runCommand(
  HELP,
  OPTIONS,
  async ({ values, positionals }) => {
    const [folder, ...rest] = positionals;
    if (folder === undefined || rest.length > 0) throw new AppError("invalid_request", `Name one folder.\n\n${HELP}`);
    const count = Number(values.seeds);
    if (!(Number.isInteger(count) && count >= 1 && count <= 100))
      throw new AppError("invalid_request", `--seeds is "${values.seeds}". Give a whole number from 1 to 100.`);
    const seeds = Array.from({ length: count }, (_, index) => index + 1);
    const files = await readLabelledFiles(folder);
    const ofTask = (name: LabelledFile["task"]) => files.filter(({ task }) => task === name);
    await run(await correctnessTask(folder, ofTask("correctness")), seeds, values);
    await run(await faithfulnessTask(folder, ofTask("faithfulness")), seeds, values);
    return EXIT.ok;
  },
  { takesArguments: true },
);
