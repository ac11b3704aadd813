import { createClient } from "@libsql/client";

const PAUSE_MS = 20;

/** Stored and computed counts of each running evaluation. A single statement reads the state of one commit. */
const COUNTS = `SELECT id,
  json_array(json_extract(progress, '$.done'), json_extract(progress, '$.errors'),
    json_extract(progress, '$.promptTokens'), json_extract(progress, '$.completionTokens')),
  (SELECT json_array(COUNT(*), COALESCE(SUM(state = 'error'), 0),
    COALESCE(SUM(json_extract(output, '$.usage.prompt_tokens')), 0),
    COALESCE(SUM(json_extract(output, '$.usage.completion_tokens')), 0))
    FROM results WHERE run_id = runs.id AND state IN ('done', 'error'))
  FROM runs WHERE state = 'running' AND progress IS NOT NULL`;

export interface CountWatch {
  /** Stops watching. Returns the number of comparisons, and the first ten that differed. */
  stop(): Promise<{ comparisons: number; violations: string[] }>;
}

/**
 * Repeatedly compares the counts and tokens of running batch evaluations with their results, from a process that
 * doesn't write. They must agree after every commit.
 */
export const watchCounts = (url: string): CountWatch => {
  const database = createClient({ url });
  const violations: string[] = [];
  let [comparisons, isOver] = [0, false];
  const watching = (async () => {
    while (!isOver) {
      const { rows } = await database.execute(COUNTS);
      for (const row of rows) {
        comparisons++;
        if (row[1] !== row[2]) violations.push(`${row[0]}: stored ${row[1]}, computed ${row[2]}`);
      }
      await Bun.sleep(PAUSE_MS);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await watching;
      database.close();
      return { comparisons, violations: violations.slice(0, 10) };
    },
  };
};
