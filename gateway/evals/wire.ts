import type { NamedLabelRow } from "../../db/labels";
import type { NewScoreRow, ResultRow, ScoreRow } from "../../db/results";
import type { RunRow } from "../../db/runs";
import type { Label, Output, Run, RunFigures, RunInfo, SampleResult, Score } from "./contract";
import { type RunOrder, verdictsOf } from "./verdict";

/** JSON columns contain values that this version or an older one wrote according to the contract. */
const as = <T>(value: unknown): T => value as T;

export const toScore = (row: ScoreRow): Score => ({
  metric: row.metric,
  evaluator: row.evaluator,
  evaluator_hash: row.evaluatorHash,
  criterion: as(row.criterion),
  criterion_hash: row.criterionHash,
  state: row.state,
  value: row.value,
  passed: row.passed,
  reason: row.reason,
  claims: as(row.claims),
  votes: row.votes,
  shadow: row.shadow,
  judge: as(row.judge),
  embedder: as(row.embedder),
  error: as(row.error),
  scored_at: row.scoredAt.toISOString(),
});

export const toLabel = (row: NamedLabelRow): Label => ({
  id: row.id,
  result_id: row.resultId,
  metric: row.metric,
  value: row.value,
  failure: as(row.failure),
  comment: row.comment,
  blind: row.blind,
  labelled_by: row.labelledBy,
  labelled_by_name: row.labelledByName,
  created_at: row.createdAt.toISOString(),
  replaced_at: row.replacedAt?.toISOString() ?? null,
});

/** `order`: the pins of the run, which order the verdicts. */
export const toResult = (
  row: ResultRow,
  { scores, labels, order }: { scores: readonly ScoreRow[]; labels: readonly NamedLabelRow[]; order: RunRow["pins"] },
): SampleResult => {
  const scored = scores.map(toScore);
  return {
    id: row.id,
    run_id: row.runId,
    sample_id: row.sampleId,
    sample_key: row.sampleKey,
    repeat: row.repeat,
    group: row.sample.group,
    tags: row.sample.tags,
    state: row.state,
    input: as(row.sample.input),
    references: row.sample.references,
    contexts: row.sample.contexts,
    output: as(row.output),
    scores: scored,
    passed: row.passed,
    verdicts: verdictsOf(as<Output | null>(row.output)?.text ?? "", scored, as<RunOrder>(order)),
    failure: as(row.failure),
    error: as(row.error),
    attempts: row.attempts,
    labels: labels.map(toLabel),
  };
};

/** A score as it is stored. */
export const toScoreRow = (
  resultId: string,
  { evaluator_hash, criterion_hash, scored_at, ...score }: Score,
): NewScoreRow => ({
  ...score,
  resultId,
  evaluatorHash: evaluator_hash,
  criterionHash: criterion_hash,
  scoredAt: new Date(scored_at),
});

/** A run without its figures. */
export const toRunInfo = (row: RunRow): RunInfo => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  tags: row.tags,
  state: row.state,
  pins: as(row.pins),
  error: as(row.error),
  created_by: row.createdBy,
  created_at: row.createdAt.toISOString(),
  started_at: row.startedAt?.toISOString() ?? null,
  ended_at: row.endedAt?.toISOString() ?? null,
});

export const toRun = (row: RunRow, figures: RunFigures): Run => ({ ...toRunInfo(row), ...figures, cost: null });
