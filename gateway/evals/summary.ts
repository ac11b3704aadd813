import { Value } from "@sinclair/typebox/value";
import type { Db, Reads } from "../../db/client";
import { type LabelRow, listRunLabels } from "../../db/labels";
import { listResultFigures, type ResultFigure } from "../../db/result-figures";
import { findCriteria, findRunTotals, listFailureCounts, listFigures, type ScoreFigure } from "../../db/results";
import { type RunRow, storeFigures } from "../../db/runs";
import { type Criterion, type Run, RunFigures } from "./contract";
import { passes } from "./rubric";
import { Latencies, Verdicts } from "./segments";
import { summarizeCriterion } from "./statistics/criterion";
import { CriterionScores } from "./statistics/criterion-scores";
import type { Statistic } from "./statistics-contract";
import { currentScores, decidingScores, inRunOrder, type RunOrder } from "./verdict";
import { toRun } from "./wire";

/**
 * Stored figures with a different version are stale. Increment this with every change to how `RunFigures` are computed.
 */
export const FIGURES_VERSION = 4;
/** Up to this number of results, figures are computed in the request that finds them stale. */
const FEW_RESULTS = 200;
/** Results read per statement. */
const PAGE = 500;
/** Results whose figures leave much garbage. A multiple of the page. */
const GARBAGE_RESULTS = 2000;

/** Computes the figures of a run, usually in a thread. */
export type ComputeFigures = (run: RunRow) => Promise<RunFigures>;

/** Figures that are not known yet. */
const NO_FIGURES: Pick<RunFigures, "verdict" | "statistics" | "latency" | "segments"> = {
  verdict: null,
  statistics: [],
  latency: null,
  segments: [],
};

/** Reads a run with its figures. `isFinal`: waits for current figures, unless a worker is still changing the run. */
export type ReadRun = (row: RunRow, options?: { isFinal?: boolean }) => Promise<Run>;

/**
 * Reads runs with their figures. Counts of a batch run are always current. Its other figures are those that its worker
 * stored last, until it ends. Stale figures of an ended run are recomputed and stored in the background, and a read
 * returns them marked as stale; it only waits if there are few results. Figures that can't be stored, for example on a
 * full disk, are recomputed by the next read.
 */
export const createRunReader = (db: Db, compute: ComputeFigures = (row) => computeFigures(db, row)): ReadRun => {
  const computing = new Map<string, Promise<RunFigures>>();

  const refresh = (row: RunRow): Promise<RunFigures> => {
    const isSmall = (row.progress?.total ?? 0) <= FEW_RESULTS;
    const name = `${row.id} ${row.changes}`;
    const started = computing.get(name) ?? (isSmall ? computeFigures(db, row) : compute(row));
    computing.set(name, started);
    return started
      .then((value) => {
        const stored = { version: FIGURES_VERSION, changes: row.changes, value: { ...value } };
        db.write((tx) => storeFigures(tx, row.id, stored)).catch(() => {});
        return value;
      })
      .finally(() => computing.delete(name));
  };

  return async (row, { isFinal = false } = {}) => {
    const { figures, progress } = row;
    const counts = progress && countsOf(row, progress);
    const known = knownFigures(row);
    if (known && figures?.version === FIGURES_VERSION && figures.changes === row.changes)
      return toRun(row, { ...known, ...counts }, false);
    const stale = counts && toRun(row, { ...NO_FIGURES, ...known, ...counts }, true);
    if (stale && isChanging(row.state, stale)) return stale;
    const fresh = refresh(row);
    if (!stale || isFinal || stale.progress.total <= FEW_RESULTS) return toRun(row, await fresh, false);
    fresh.catch(() => {});
    return stale;
  };
};

/** The stored figures. Those of another version are only used if they have the same fields. */
const knownFigures = ({ figures }: RunRow): RunFigures | undefined => {
  if (figures?.version === FIGURES_VERSION) return figures.value as unknown as RunFigures;
  return Value.Check(RunFigures, figures?.value) ? figures?.value : undefined;
};

/** A worker still adds results, and stores new figures every few seconds. It does not once a run is paused. */
const isChanging = (state: RunRow["state"], { progress: { running } }: Pick<RunFigures, "progress">): boolean =>
  state === "queued" || state === "running" || (state === "paused" && running > 0);

type Counts = Pick<RunFigures, "progress" | "passed" | "failures" | "usage" | "gpu_seconds">;

/** The figures that are stored with the results of a batch run. */
export const countsOf = ({ state }: Pick<RunRow, "state">, counts: NonNullable<RunRow["progress"]>): Counts => {
  const { total, done, errors, judged, passed, running, promptTokens, completionTokens, workedMs } = counts;
  const overallRate = counts.activeMs > 0 ? (1000 * done) / counts.activeMs : 0;
  const isProgressing = state === "running" && !counts.waiting;
  const rate = isProgressing && counts.perSecond > 0 ? counts.perSecond : overallRate;
  return {
    progress: {
      ...{ total, done, errors, judged, running },
      samples_per_second: rate,
      eta_seconds: isProgressing && rate > 0 ? (total - done) / rate : null,
    },
    passed: judged === 0 ? null : passed / judged,
    failures: counts.failures,
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
    },
    gpu_seconds: Math.round(workedMs) / 1000,
  };
};

/** The same figures, counted from the results. */
const countResults = async (db: Reads, row: RunRow): Promise<Counts> => {
  const totals = await findRunTotals(db, row.id);
  const failures = await listFailureCounts(db, row.id);
  return countsOf(row, {
    ...{ created: totals.total, nextPosition: 0, sequence: 0, deaths: 0, activeMs: 0, perSecond: 0 },
    ...totals,
    failures: Object.fromEntries(failures.map(({ failure, count }) => [failure, count])),
  });
};

/**
 * Computes a run's counts and statistics from its results, scores and labels. `onGarbage` is called when much of the
 * memory that was used can be freed.
 */
export const computeFigures = async (db: Reads, row: RunRow, onGarbage?: () => void): Promise<RunFigures> => {
  const pages = async function* (): AsyncGenerator<FigurePage> {
    for (let cursor: ResultFigure | undefined; ; ) {
      const results = await listResultFigures(db, row.id, { limit: PAGE, cursor });
      const ids = results.map(({ id }) => id);
      yield { results, scores: ids.length > 0 ? await listFigures(db, ids) : [] };
      cursor = results.at(-1);
      if (results.length < PAGE) return;
    }
  };
  const figures = await figuresFrom(
    {
      pages: pages(),
      labels: await listRunLabels(db, row.id),
      criteria: async (hashes) => (await findCriteria(db, hashes)) as Map<string, unknown> as Map<string, Criterion>,
    },
    row.pins as RunOrder,
    onGarbage,
  );
  return { ...(row.progress ? countsOf(row, row.progress) : await countResults(db, row)), ...figures };
};

/** Results with all their scores; those of one result oldest first. */
export interface FigurePage {
  results: ResultFigure[];
  scores: FigureScore[];
}

/** The parts of a score that figures need. */
export type FigureScore = Pick<
  ScoreFigure,
  "resultId" | "metric" | "evaluator" | "criterionHash" | "shadow" | "value" | "passed"
>;

/** Where figures come from: the database, or a file. */
export interface FigureSource {
  /** All results, sorted by the UTF-8 bytes of their samples' keys, then by repeat. */
  pages: AsyncIterable<FigurePage> | Iterable<FigurePage>;
  /** The current labels. */
  labels: readonly Pick<LabelRow, "resultId" | "metric" | "value">[];
  criteria(hashes: readonly string[]): Promise<ReadonlyMap<string, Criterion>>;
}

/**
 * The figures that aren't counts. They depend only on the content of the source, so they are the same on every
 * instance.
 */
export const figuresFrom = async (
  { pages, labels, criteria }: FigureSource,
  order: RunOrder,
  onGarbage: () => void = () => {},
): Promise<Omit<RunFigures, keyof Counts>> => {
  const people = verdictsOfPeople(labels);
  const kinds = new Map<string, ScoreKind>();
  const verdicts = new Verdicts();
  const latencies = new Latencies();
  const groups = new Map<string, string>();
  let [sample, key, results]: [number, string | undefined, number] = [-1, undefined, 0];
  for await (const page of pages) {
    const byResult = Map.groupBy(page.scores, ({ resultId }) => resultId);
    const known = await criteria([...new Set(page.scores.map(({ criterionHash }) => criterionHash))]);
    for (const result of page.results) {
      if (result.sampleKey !== key) sample++;
      key = result.sampleKey;
      // Every name of a group is kept once.
      const group = result.group === null ? null : groups.getOrInsert(result.group, result.group);
      verdicts.add(sample, group, result);
      latencies.add(result);
      for (const { figure, decides } of currentOf(byResult.get(result.id) ?? [])) {
        const criterion = known.get(figure.criterionHash);
        if (!criterion) continue;
        const { value, passed } = figure;
        const label = people(result.id, criterion);
        kindOf(kinds, figure, criterion, decides).scores.add(sample, group, { value, passed, label });
      }
    }
    results += page.results.length;
    if (results % GARBAGE_RESULTS === 0) onGarbage();
  }
  const statistics = await statisticsOf(kinds, onGarbage);
  return {
    verdict: verdicts.summary(),
    statistics: inRunOrder(statistics, order),
    latency: latencies.summary(),
    segments: verdicts.segments(),
  };
};

/** The scores on one criterion by one evaluator version. */
interface ScoreKind {
  criterion: Criterion;
  evaluator: string;
  criterionHash: string;
  decides: boolean;
  scores: CriterionScores;
}

const kindOf = (
  kinds: Map<string, ScoreKind>,
  { metric, evaluator, criterionHash }: FigureScore,
  criterion: Criterion,
  decides: boolean,
): ScoreKind =>
  kinds.getOrInsertComputed(JSON.stringify([metric, evaluator, criterionHash, decides]), () => ({
    ...{ criterion, evaluator, criterionHash, decides },
    scores: new CriterionScores(),
  }));

/** One statistic per criterion and evaluator version. */
const statisticsOf = async (kinds: ReadonlyMap<string, ScoreKind>, onGarbage: () => void): Promise<Statistic[]> => {
  const statistics: Statistic[] = [];
  for (const { criterion, evaluator, criterionHash, decides, scores } of kinds.values()) {
    // Bootstrapping many results takes long, so let other requests run first.
    if (scores.scores >= SLOW_FROM_SCORES) await Bun.sleep(0);
    const { name: metric, direction, scale } = criterion;
    statistics.push({
      ...{ metric, direction, criterion_hash: criterionHash, evaluator, shadow: !decides },
      ...summarizeCriterion(scores, { range: [scale.min, scale.max] }),
    });
    if (scores.scores >= GARBAGE_RESULTS) onGarbage();
  }
  return statistics;
};

/** With at least this many scores, computing a statistic takes noticeable time. */
const SLOW_FROM_SCORES = 100;

/** The current scores of one result, and whether the verdict counts them. */
export const currentOf = <F extends FigureScore>(figures: readonly F[]): { figure: F; decides: boolean }[] => {
  const scores = figures.map((figure) => ({ ...figure, criterion_hash: figure.criterionHash }));
  const deciding = new Set(decidingScores(scores));
  return currentScores(scores).map((score) => ({ figure: score, decides: deciding.has(score) }));
};

/** Whether most labels of a result pass it; null without labels, or on a tie. */
type VerdictOfPeople = (resultId: string, criterion: Criterion) => boolean | null;

/** A label is a value, so the criterion's threshold decides whether it passes. */
export const verdictsOfPeople = (labels: FigureSource["labels"]): VerdictOfPeople => {
  const values = Map.groupBy(labels, ({ resultId, metric }) => `${resultId} ${metric}`);
  return (resultId, criterion) => {
    const given = values.get(`${resultId} ${criterion.name}`) ?? [];
    const sum = given.reduce((balance, { value }) => {
      const passed = passes(criterion, value);
      return passed === null ? balance : balance + (passed ? 1 : -1);
    }, 0);
    return sum === 0 ? null : sum > 0;
  };
};
