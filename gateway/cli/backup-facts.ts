import type { BackupFacts } from "../../db/backup/check";

/** What is in a backup, in a few lines. */
export const printFacts = ({ sizeBytes, sha256, migrations, tables }: BackupFacts): void => {
  const filled = tables.filter(({ rows }) => rows > 0);
  const rows = filled.reduce((sum, table) => sum + table.rows, 0);
  console.log(`  ${(sizeBytes / 1e6).toFixed(1)} MB, sha256 ${sha256}`);
  console.log(
    `  ${rows.toLocaleString("en")} rows in ${filled.length} tables, schema ${migrations.applied} of ${migrations.known}`,
  );
  console.log("  Every page, index and reference was read: ok");
};
