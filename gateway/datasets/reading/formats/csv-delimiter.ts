const DELIMITERS = [",", ";", "\t"] as const;
/** Only used if the header contains none of the others, because column names may contain a bar. */
const LAST_DELIMITER = "|";

/** The delimiter, and the `sep=` line if there is one, which is not a record. */
interface CsvStart {
  delimiter: string;
  /** `sep=;` with its line break. Spreadsheets write it before the header. */
  declaration: string;
}

const DECLARATION = /^"?sep=(\\t|[^\r\n"])"?[,;\t|]*(?:\r\n|\n|\r)/i;

/**
 * Detects the delimiter from the first lines: the one that `sep=` declares, if the header contains it; otherwise the
 * most frequent of comma, semicolon and tab, or a bar if the header has none of them.
 */
export const detectDelimiter = (text: string): CsvStart => {
  const [declaration = "", declared = ""] = DECLARATION.exec(text) ?? [];
  const counts = countDelimiters(text.slice(declaration.length));
  const most = DELIMITERS.reduce((best, each) => (countOf(counts, each) > countOf(counts, best) ? each : best));
  const guessed = countOf(counts, most) === 0 && counts.has(LAST_DELIMITER) ? LAST_DELIMITER : most;
  const delimiter = declared === "\\t" ? "\t" : declared;
  const isUsed = countOf(counts, delimiter) > 0 || countOf(counts, guessed) === 0;
  return { delimiter: delimiter !== "" && isUsed ? delimiter : guessed, declaration };
};

const countOf = (counts: ReadonlyMap<string, number>, character: string): number => counts.get(character) ?? 0;

/** Counts each character of the first line, outside quotes. */
const countDelimiters = (text: string): Map<string, number> => {
  const counts = new Map<string, number>();
  let isQuoted = false;
  for (const character of text) {
    if (character === '"') isQuoted = !isQuoted;
    if (isQuoted) continue;
    if (character === "\n" || character === "\r") break;
    counts.set(character, countOf(counts, character) + 1);
  }
  return counts;
};
