/** A record of CSV by RFC 4180, with its line end. Cells are written as they are. */
export const csvRecord = (cells: readonly string[]): string => `${cells.map(quote).join(",")}\r\n`;

const quote = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
