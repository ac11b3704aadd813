import { eq, type SQL } from "drizzle-orm";
import type { Reads } from "./client";
import { samples } from "./schema/datasets";
import { results } from "./schema/evals";

/** A result with its sample. */
export type ResultRow = typeof results.$inferSelect & { sample: typeof samples.$inferSelect };

/** Selects results with their samples. */
export const joinedResults = <More extends Record<string, SQL<unknown>>>(db: Reads, more = {} as More) =>
  db
    .select({ result: results, sample: samples, ...more })
    .from(results)
    .innerJoin(samples, eq(samples.id, results.sampleId));
