import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { json } from "./columns";

/**
 * Measurements of one gateway process in one period. Each process writes only its own rows, with the totals of the
 * period so far, so that repeating a write changes nothing.
 */
export const metricRollups = sqliteTable(
  "metric_rollups",
  {
    resolution: text({ enum: ["minute", "hour", "day"] }).notNull(),
    /** Start of the period, in milliseconds since 1970. */
    at: integer().notNull(),
    /** Id of the process that measured, new at each start. */
    source: text().notNull(),
    /** `StoredMeasurements`. */
    measured: json<Record<string, unknown>>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.resolution, table.at, table.source] })],
);
