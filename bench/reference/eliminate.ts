import { auroc } from "../../gateway/evals/statistics/auroc";
import type { FitRow, Task } from "./task";
import { type Figures, heldOut, leftOut } from "./validation";

/** Held-out AUROC that a set may lose compared with the model that has all features. */
const MAX_LOSS = 0.005;

interface Step {
  removed: string;
  features: ReadonlySet<string>;
  held: Figures;
  left: Figures;
  probe: number;
  /** Cases of the tables that are scored wrongly. */
  wrong: number;
}

const stepOf = <Row extends FitRow>(
  task: Task<Row>,
  features: ReadonlySet<string>,
  removed: string,
  seeds: readonly number[],
): Step => {
  const { logitOf } = task.fit(task.rows, features);
  const labels = task.probe.rows.map(({ label }) => label === 1);
  return {
    removed,
    features,
    held: heldOut(task, features, seeds),
    left: leftOut(task, features),
    probe: auroc(labels, task.probe.rows.map(logitOf)) ?? Number.NaN,
    wrong: task.cases.filter(({ row, shouldPass }) => logitOf(row) >= 0 !== shouldPass).length,
  };
};

const areas = (figures: Figures): number[] => [...figures.values()].map((each) => each.auroc);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean AUROC on held-out groups, on left-out sets and on the probe. */
const worthOf = ({ held, left, probe }: Step): number => mean([mean(areas(held)), mean(areas(left)), probe]);

const lossOf = (step: Step, first: Step): number =>
  Math.max(...[...first.held].map(([set, { auroc: area }]) => area - (step.held.get(set)?.auroc ?? 0)));

const describe = ({ removed, held, left, probe, wrong, features }: Step): string => {
  const figures = (each: Figures) =>
    areas(each)
      .map((area) => area.toFixed(3))
      .join(" ");
  return `${removed.padEnd(16)}held out ${figures(held)}  left out ${figures(left)}  probe ${probe.toFixed(3)}  wrong cases ${wrong}  ${features.size} features`;
};

/**
 * Backward elimination. Each step removes the feature whose removal leaves the best model, and refits the rest. Features
 * that a case table needs are kept. Stops before a set loses more than `MAX_LOSS`.
 */
export const eliminate = <Row extends FitRow>(task: Task<Row>, seeds: readonly number[]): void => {
  const first = stepOf(task, new Set(task.features), "none", seeds);
  console.log(`\n${task.name}\n${describe(first)}`);
  for (let current = first; ; ) {
    const candidates = [...current.features]
      .map((name) => stepOf(task, new Set([...current.features].filter((each) => each !== name)), name, seeds))
      .filter((step) => step.features.size > 0 && step.wrong <= first.wrong && lossOf(step, first) <= MAX_LOSS)
      .sort((a, b) => worthOf(b) - worthOf(a));
    const [best] = candidates;
    if (!best) break;
    current = best;
    console.log(describe(best));
  }
};
