type Rows = readonly (readonly string[])[];

/** Pads cells to the width of the widest in their column. All rows get the length of the first. */
const padCells = (rows: Rows): string[][] => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
};

/** Formats rows of cells as lines with aligned columns, two spaces apart. */
export const alignColumns = (rows: Rows): string[] => padCells(rows).map((row) => row.join("  ").trimEnd());

/** Formats the same rows as a Markdown table; the first row is the header. Cells can't contain HTML or end early. */
export const markdownTable = (rows: Rows): string[] => {
  const cells = padCells(rows.map((row) => row.map((cell) => cell.replace(/[\\|]|<(?=[a-z/!?])/gi, "\\$&"))));
  const rule = (cells[0] ?? []).map((cell) => "-".repeat(cell.length));
  return cells.toSpliced(1, 0, rule).map((row) => `| ${row.join(" | ")} |`);
};
