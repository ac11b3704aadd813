type Rows = readonly (readonly string[])[];

/** The same rows with cells as wide as the widest of their column. Rows are as long as the first. */
const padCells = (rows: Rows): string[][] => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
};

/** Rows of cells as lines whose columns are aligned, two spaces apart. */
export const alignColumns = (rows: Rows): string[] => padCells(rows).map((row) => row.join("  ").trimEnd());

/** The same as a table in Markdown, whose first row is the head. */
export const markdownTable = (rows: Rows): string[] => {
  const cells = padCells(rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|"))));
  const rule = (cells[0] ?? []).map((cell) => "-".repeat(cell.length));
  return cells.toSpliced(1, 0, rule).map((row) => `| ${row.join(" | ")} |`);
};
