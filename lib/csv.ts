/** A CSV record (RFC 4180) with its line break. Cells are not guarded against formulas. */
export const csvRecord = (cells: readonly string[]): string => `${cells.map(quote).join(",")}\r\n`;

/** A byte order mark must be quoted, because readers drop an unquoted one. */
const quote = (cell: string): string => (/[",\r\n\ufeff]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/**
 * Text that a spreadsheet would run as a formula (OWASP ASVS 1.2.10: = + - @ TAB CR NUL; here also LF and the
 * full-width forms), text that our reader would parse as a list, even after spaces, and the empty string, which it would
 * read as a missing value. Each may have any number of leading `'`.
 */
const NEEDS_GUARD = /^'*(?:$|[=+\-@\t\r\n\0＝＋－＠]|\s*\[)/;
const IS_GUARDED = /^'+(?:$|[=+\-@\t\r\n\0＝＋－＠]|\s*\[)/;

/** Escapes cell text so that no spreadsheet runs it as a formula: `=1+1` becomes `'=1+1`. */
export const guardText = (text: string): string => (NEEDS_GUARD.test(text) ? `'${text}` : text);

/** Undoes `guardText`. */
export const unguardText = (cell: string): string => (IS_GUARDED.test(cell) ? cell.slice(1) : cell);
