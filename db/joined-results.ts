import { eq } from "drizzle-orm";
import type { Reads } from "./client";
import { samples } from "./schema/datasets";
import { results } from "./schema/evals";

/** A result with its sample. */
export type ResultRow = typeof results.$inferSelect & { sample: typeof samples.$inferSelect };

/** Selects results with their samples. */
export const joinedResults = (db: Reads) =>
  db.select({ result: results, sample: samples }).from(results).innerJoin(samples, eq(samples.id, results.sampleId));
