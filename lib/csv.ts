/** A record of CSV by RFC 4180, with its line end. Cells are written as they are. */
export const csvRecord = (cells: readonly string[]): string => `${cells.map(quote).join(",")}\r\n`;

/** Readers drop a byte order mark that is not inside quotes. */
const quote = (cell: string): string => (/[",\r\n\ufeff]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
