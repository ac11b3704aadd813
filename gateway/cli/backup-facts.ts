import { existsSync, statSync } from "node:fs";
import type { BackupFacts } from "../../db/backup/check";
import { countProgress } from "../../lib/progress";

/** Progress is shown for databases of at least this size. Smaller databases take only a second or two. */
const SHOWN_FROM_BYTES = 50e6;

/** Shows progress in steps for a large database file, and for a server, whose size is unknown. */
export const showSteps = (task: string, file: string | undefined, steps: number): (() => void) => {
  const isSmall = file !== undefined && (!existsSync(file) || statSync(file).size < SHOWN_FROM_BYTES);
  return isSmall ? () => {} : countProgress(task, steps, "steps").step;
};

export const printFacts = ({ sizeBytes, sha256, migrations, tables }: BackupFacts): void => {
  const filled = tables.filter(({ rows }) => rows > 0);
  const rows = filled.reduce((sum, table) => sum + table.rows, 0);
  console.log(`  ${(sizeBytes / 1e6).toFixed(1)} MB, sha256 ${sha256}`);
  console.log(
    `  ${rows.toLocaleString("en")} rows in ${filled.length} tables, schema ${migrations.applied} of ${migrations.known}`,
  );
  console.log("  Every page, index and reference was checked: ok");
};
