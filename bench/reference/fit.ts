import { type LabelledFile, readLabelledFiles } from "../../gateway/evals/agreement/labelled-file";
import { EXIT, onlyArgument, runCommand } from "../../lib/command";
import { AppError } from "../../lib/errors";
import { correctnessTask } from "./correctness";
import { faithfulnessTask } from "./faithfulness";
import { ALL, type FitRow, heldOut, leftOut, setsOf, type Task } from "./task";

const HELP = `Fits the weights of reference@1 to labelled answers, and writes them.

  bun bench/reference/fit.ts FOLDER                prints figures, and writes the weights
  bun bench/reference/fit.ts FOLDER --dry          writes nothing
  bun bench/reference/fit.ts FOLDER --seeds 1      fewer splits

held out: ten-fold cross-validation over groups, averaged over the seeds. left out: a model that was fitted to the
other datasets. "bun run agreement" prints the figures of simple scorers.`;

const OPTIONS = { dry: { type: "boolean", default: false }, seeds: { type: "string", default: "3" } } as const;

const report = <Row extends FitRow>(task: Task<Row>, seeds: readonly number[]): void => {
  const [held, left] = [heldOut(task, seeds), leftOut(task)];
  console.log(`\n${task.name}${" ".repeat(20)}     AUROC  accuracy (balanced)`);
  for (const set of [...setsOf(task.rows), ALL]) {
    console.log(`${set}: ${task.rows.filter((row) => row.set === set || set === ALL).length}`);
    for (const [name, figures] of [["held out", held] as const, ["left out", left] as const]) {
      const { auroc, accuracy } = figures.get(set) ?? {};
      const cells = [auroc, accuracy].map((figure) => (figure?.toFixed(3) ?? "").padStart(10));
      if (auroc !== undefined) console.log(`  ${name.padEnd(28)}${cells.join("")}`);
    }
  }
};

const run = async <Row extends FitRow>(task: Task<Row>, seeds: readonly number[], isDry: boolean): Promise<void> => {
  report(task, seeds);
  const { source } = task.fit(task.rows);
  console.log(source.slice(source.indexOf("export")));
  if (!isDry) await Bun.write(task.out, source);
};

await runCommand(
  HELP,
  OPTIONS,
  async ({ values, positionals }) => {
    const folder = onlyArgument(positionals, "Name one folder.", HELP);
    const count = Number(values.seeds);
    if (!(Number.isInteger(count) && count >= 1 && count <= 100))
      throw new AppError("invalid_request", `--seeds is "${values.seeds}". Give a whole number from 1 to 100.`);
    const seeds = Array.from({ length: count }, (_, index) => index + 1);
    const files = await readLabelledFiles(folder);
    const ofTask = (name: LabelledFile["task"]) => files.filter(({ task }) => task === name);
    await run(correctnessTask(ofTask("correctness")), seeds, values.dry);
    await run(faithfulnessTask(ofTask("faithfulness")), seeds, values.dry);
    return EXIT.ok;
  },
  { takesArguments: true },
);
