import type { Db } from "../../../db/client";
import { countResults } from "../../../db/exported-results";
import { findRun, type RunRow } from "../../../db/runs";
import { AppError } from "../../../lib/errors";
import type { RunFigures, RunPins } from "../../evals/contract";
import type { EvaluatorChoice } from "../../evals/evaluator";
import { type ComputeFigures, countsOf, FIGURES_VERSION } from "../../evals/summary";
import { toEntry } from "../../evals/transfer";
import { toRunInfo } from "../../evals/wire";
import type { PromptService } from "../../prompts/service";
import type { BundleRun } from "../bundle/contract";
import { gzipped } from "../bundle/gzip";
import { type BundleEntry, writeBundle } from "../bundle/write-bundle";
import type { BatchSettings, StartBatchEval } from "../contract";
import { labelsOf, pagesOfRows, withScores } from "./exported-rows";
import { scoreKindsOf } from "./score-kinds";

export interface BundleDeps {
  db: Db;
  evaluators: Pick<EvaluatorChoice, "choose">;
  prompts: Pick<PromptService, "resolve">;
  computeFigures: ComputeFigures;
  now?: () => Date;
}

const ENDED: ReadonlySet<RunRow["state"]> = new Set(["completed", "failed", "cancelled"]);

/**
 * A whole run as a compressed bundle. Throws conflict for a run that has not ended. If the run changes while it is read,
 * the content throws before its end, so that the file is visibly incomplete.
 */
export const bundleOf = async (deps: BundleDeps, run: RunRow): Promise<AsyncGenerator<Uint8Array>> => {
  const { db, now = () => new Date() } = deps;
  if (!ENDED.has(run.state)) {
    throw new AppError(
      "conflict",
      `This run is ${run.state}, so its figures are not final. Cancel it or wait until it ends, then export the bundle.`,
    );
  }
  const confirm = async (): Promise<void> => {
    const current = await findRun(db, run.id);
    if (current?.changes === run.changes) return;
    throw new AppError("conflict", "The run changed while it was exported. Download the bundle again.");
  };
  const source = {
    run: await describe(deps, run),
    entries: entriesOf(db, run),
    statistics: await figuresOf(deps, run),
    createdAt: now(),
    confirm,
  };
  return gzipped(writeBundle(source));
};

async function* entriesOf(db: Db, run: RunRow): AsyncGenerator<BundleEntry> {
  for await (const rows of pagesOfRows(db, run.id, {})) {
    const labels = await labelsOf(db, rows);
    for (const { row, scores } of await withScores(db, rows)) yield toEntry(row, scores, labels.get(row.id) ?? []);
  }
}

/** The stored figures if they are current, otherwise fresh ones. */
const figuresOf = async ({ computeFigures }: BundleDeps, run: RunRow): Promise<RunFigures> => {
  const { figures, progress } = run;
  const isCurrent = figures?.version === FIGURES_VERSION && figures.changes === run.changes;
  const value = isCurrent ? (figures.value as unknown as RunFigures) : await computeFigures(run);
  return { ...value, ...(progress && countsOf(run, progress)) };
};

const describe = async ({ db, evaluators, prompts }: BundleDeps, run: RunRow): Promise<BundleRun> => {
  const info = toRunInfo(run);
  const { pins } = info;
  const settings = (run.settings ?? {}) as BatchSettings;
  const kinds = await scoreKindsOf(db, run);
  const used = new Set([...pins.evaluators, ...kinds].map(({ evaluator }) => evaluator));
  const chosen = await evaluators.choose([...used]);
  return {
    run: info,
    settings,
    request: requestOf(info, settings),
    prompt: pins.target.prompt === undefined ? null : await prompts.resolve(pins.target.prompt),
    evaluators: chosen.map(({ name, version, kind, description, criteria, judge, hash }) => {
      return { name, version, kind, description, criteria: [...criteria], judge, hash };
    }),
    results: (await countResults(db, run.id, {})).total,
  };
};

/** The request that repeats a run on a dataset with only the samples that it used. */
const requestOf = ({ name, tags, pins }: { name: string; tags: string[]; pins: RunPins }, settings: BatchSettings) => {
  const named = (isShadow: boolean) =>
    pins.evaluators.flatMap(({ evaluator, shadow }) => (shadow === isShadow ? [evaluator] : []));
  const shadows = named(true);
  const request: StartBatchEval = {
    dataset: pins.dataset?.name ?? "",
    target: pins.target,
    evaluators: named(false),
    ...(shadows.length > 0 && { shadow_evaluators: shadows }),
    ...(pins.rubric && { rubric: pins.rubric }),
    repeats: pins.repeats,
    seed: pins.seed,
    ...{ name, tags, ...settings },
  };
  return request;
};
