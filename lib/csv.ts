/** A record of CSV by RFC 4180, with its line end. Cells are written as they are. */
export const csvRecord = (cells: readonly string[]): string => `${cells.map(quote).join(",")}\r\n`;

/** Readers drop a byte order mark that is not inside quotes. */
const quote = (cell: string): string => (/[",\r\n\ufeff]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/**
 * What a spreadsheet would run as a formula (OWASP ASVS 1.2.10: = + - @ TAB CR NUL, here with LF and the full-width forms),
 * what our reader would take for a list, also after spaces, and no text at all, which would be no value; with any number of `'` in front.
 */
const NEEDS_GUARD = /^'*(?:$|[=+\-@\t\r\n\0＝＋－＠]|\s*\[)/;
const IS_GUARDED = /^'+(?:$|[=+\-@\t\r\n\0＝＋－＠]|\s*\[)/;

/** Text for a cell that no spreadsheet runs: `=1+1` becomes `'=1+1`. */
export const guardText = (text: string): string => (NEEDS_GUARD.test(text) ? `'${text}` : text);

/** The text that `guardText` made a cell of. */
export const unguardText = (cell: string): string => (IS_GUARDED.test(cell) ? cell.slice(1) : cell);
