import { and, asc, eq, sql } from "drizzle-orm";
import type { Reads } from "./client";
import type { ResultRow } from "./joined-results";
import { isAfterResult, isMade, outputField, type ResultCursor } from "./result-fields";
import { results, samples } from "./schema";

/** The fields of a result that statistics need, without texts. Latencies in milliseconds; null: not generated for this run. */
export interface ResultFigure {
  id: string;
  sampleKey: string;
  repeat: number;
  group: string | null;
  tags: string[];
  state: ResultRow["state"];
  passed: boolean | null;
  overall: number | null;
  queueMs: number | null;
  ttftMs: number | null;
  totalMs: number | null;
}

/** The same with the fields that only comparisons need. Tokens are null like latencies. */
export interface ComparedFigure extends ResultFigure {
  sampleId: string;
  failure: string | null;
  promptTokens: number | null;
  completionTokens: number | null;
}

const madeField = (path: string) => sql<number | null>`CASE WHEN ${isMade} THEN ${outputField(path)} END`;

/** Results of a run without their texts, in the order of their samples' keys, after `cursor`. */
export const listResultFigures = (
  db: Reads,
  runId: string,
  { limit, cursor }: { limit: number; cursor?: ResultCursor },
): Promise<ComparedFigure[]> =>
  db
    .select({
      id: results.id,
      sampleId: results.sampleId,
      sampleKey: results.sampleKey,
      repeat: results.repeat,
      group: samples.group,
      tags: samples.tags,
      state: results.state,
      passed: results.passed,
      failure: results.failure,
      overall: results.overall,
      queueMs: madeField("latency.queue"),
      ttftMs: madeField("latency.ttft"),
      totalMs: madeField("latency.total"),
      promptTokens: madeField("usage.prompt_tokens"),
      completionTokens: madeField("usage.completion_tokens"),
    })
    .from(results)
    .innerJoin(samples, eq(samples.id, results.sampleId))
    .where(and(eq(results.runId, runId), isAfterResult(cursor)))
    .orderBy(asc(results.sampleKey), asc(results.repeat))
    .limit(limit);
