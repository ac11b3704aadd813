import { type SQL, sql } from "drizzle-orm";
import { results } from "./schema/evals";

/** Position in a run's results, in the order of their samples' keys. */
export interface ResultCursor {
  sampleKey: string;
  repeat: number;
}

export const isAfterResult = (cursor: ResultCursor | undefined): SQL | undefined =>
  cursor && sql`(${results.sampleKey}, ${results.repeat}) > (${cursor.sampleKey}, ${cursor.repeat})`;

/** A field of a result's output. */
export const outputField = (path: string): SQL => sql`json_extract(${results.output}, ${`$.${path}`})`;

/** A model generated this output for this run; it was neither stored nor cached. */
export const isMade = sql`${outputField("cache.status")} IN ('miss', 'bypass')`;
