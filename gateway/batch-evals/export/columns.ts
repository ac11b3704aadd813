import type { Output, Score } from "../../evals/contract";
import { type RunOrder, scoresByEvaluator } from "../../evals/verdict";
import type { ScoredRow } from "./exported-rows";

/** The type of a column's values. Lists contain strings; text may also be the messages of a chat. */
export type ColumnKind = "text" | "integer" | "number" | "boolean" | "time" | "list" | "json";

export interface Column {
  name: string;
  kind: ColumnKind;
  /** A value of the column's kind, with a `Date` for a time; null if there is none. */
  of(result: TableRow): unknown;
}

/** A result as a row. `scores`: the current ones, by `evaluator.metric`. */
export interface TableRow extends Pick<ScoredRow, "row"> {
  output: Output | null;
  scores: ReadonlyMap<string, Score>;
}

type ScoreKind = Pick<Score, "evaluator" | "metric">;

const nameOf = ({ evaluator, metric }: ScoreKind): string => `${evaluator}.${metric}`;

/** If an evaluator version scored a criterion several times, the table has the score that counts, or else the newest. */
export const toTableRow = ({ row, scores }: ScoredRow, order: RunOrder): TableRow => {
  const current = scoresByEvaluator(scores, order).flatMap((group) => group.scores);
  return {
    row,
    output: row.output as Output | null,
    scores: new Map(current.map((score) => [nameOf(score), score])),
  };
};

const column = (name: string, kind: ColumnKind, of: Column["of"]): Column => ({ name, kind, of });

/** The first columns have the names of a dataset's fields, so that an import recognises them. */
const COLUMNS: readonly Column[] = [
  column("key", "text", ({ row }) => row.sampleKey),
  column("input", "text", ({ row: { sample } }) => sample.input),
  column("references", "list", ({ row: { sample } }) => sample.references),
  column("contexts", "list", ({ row: { sample }, output }) => output?.contexts ?? sample.contexts),
  column("output", "text", ({ output }) => output?.text ?? null),
  column("group", "text", ({ row: { sample } }) => sample.group),
  column("tags", "list", ({ row: { sample } }) => sample.tags),
  column("metadata", "json", ({ row: { sample } }) => sample.metadata),
  column("expected_tool_calls", "json", ({ row: { sample } }) => sample.expectedToolCalls),
  column("tools", "json", ({ row: { sample } }) => sample.tools),
  column("tool_choice", "text", ({ row: { sample } }) => sample.toolChoice),
  column("result_id", "text", ({ row }) => row.id),
  column("repeat", "integer", ({ row }) => row.repeat),
  column("state", "text", ({ row }) => row.state),
  column("passed", "boolean", ({ row }) => row.passed),
  column("failure", "text", ({ row }) => row.failure),
  column("error", "text", ({ row }) => row.error?.message ?? null),
  column("attempts", "integer", ({ row }) => row.attempts),
  column("ended_at", "time", ({ row }) => row.endedAt),
  column("tool_calls", "json", ({ output }) => output?.tool_calls ?? null),
  column("finish_reason", "text", ({ output }) => output?.finish_reason ?? null),
  column("queue_ms", "number", ({ output }) => output?.latency?.queue ?? null),
  column("ttft_ms", "number", ({ output }) => output?.latency?.ttft ?? null),
  column("latency_ms", "number", ({ output }) => output?.latency?.total ?? null),
  column("prompt_tokens", "integer", ({ output }) => output?.usage?.prompt_tokens ?? null),
  column("completion_tokens", "integer", ({ output }) => output?.usage?.completion_tokens ?? null),
  column("cache", "text", ({ output }) => output?.cache?.status ?? null),
];

/** The columns of a run's table: those of every run, then a value and a verdict for each criterion and evaluator. */
export const columnsOf = (kinds: readonly ScoreKind[]): Column[] => [
  ...COLUMNS,
  ...kinds
    .map(nameOf)
    .flatMap((name) => [
      column(name, "number", ({ scores }) => scores.get(name)?.value ?? null),
      column(`${name}.passed`, "boolean", ({ scores }) => scores.get(name)?.passed ?? null),
    ]),
];
