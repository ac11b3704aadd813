import { and, eq, inArray, or, sql } from "drizzle-orm";
import type { Reads } from "./client";
import { like } from "./conditions";
import { joinedResults, type ResultRow } from "./joined-results";
import { outputField } from "./result-fields";
import { results, samples } from "./schema";

/** The first repeat of these samples in these runs, with their contents. */
export const listFirstRepeats = async (
  db: Reads,
  runIds: readonly string[],
  sampleKeys: readonly string[],
): Promise<ResultRow[]> => {
  const rows = await joinedResults(db).where(
    and(inArray(results.runId, [...runIds]), inArray(results.sampleKey, [...sampleKeys]), eq(results.repeat, 0)),
  );
  return rows.map(({ result, sample }) => ({ ...result, sample }));
};

/** The texts of these samples in these runs, in all repeats: inputs as JSON, and outputs. */
export const listTexts = (
  db: Reads,
  runIds: readonly string[],
  sampleKeys: readonly string[],
): Promise<{ sampleKey: string; input: unknown; output: string | null }[]> =>
  db
    .select({ sampleKey: results.sampleKey, input: samples.input, output: sql<string | null>`${outputField("text")}` })
    .from(results)
    .innerJoin(samples, eq(samples.id, results.sampleId))
    .where(and(inArray(results.runId, [...runIds]), inArray(results.sampleKey, [...sampleKeys])));

/** Keys of the samples whose input, key or output in any of these runs contains `search`. */
export const findSampleKeys = async (db: Reads, runIds: readonly string[], search: string): Promise<Set<string>> => {
  const rows = await db
    .selectDistinct({ sampleKey: results.sampleKey })
    .from(results)
    .innerJoin(samples, eq(samples.id, results.sampleId))
    .where(
      and(
        inArray(results.runId, [...runIds]),
        or(
          like(samples.input, JSON.stringify(search).slice(1, -1)),
          like(outputField("text"), search),
          eq(results.sampleKey, search),
        ),
      ),
    );
  return new Set(rows.map(({ sampleKey }) => sampleKey));
};
