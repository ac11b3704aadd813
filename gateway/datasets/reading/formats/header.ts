import { FORBIDDEN_NAMES, forbiddenName, formatCount, type ReadingLimits, tooLarge } from "../limits";
import type { Warn } from "../rows";

const MAX_NAME_LENGTH = 200;
const MAX_LISTED = 10;

export const nameProblem = (name: string): string | undefined => {
  if (name.trim() === "") return "a column name is empty.";
  if (name.length > MAX_NAME_LENGTH) return `a column name is longer than ${MAX_NAME_LENGTH} characters.`;
  if (!name.isWellFormed() || name.includes("\0")) return "a column name is not UTF-8 text.";
  if (FORBIDDEN_NAMES.has(name)) return `${forbiddenName(name)}.`;
  return undefined;
};

/**
 * The usable columns: their positions in a row and their unique names. Other columns are left out with a warning, and a
 * repeated name gets a number. Throws payload_too_large for too many columns.
 */
export const readHeader = (
  cells: readonly string[],
  { maxColumns }: ReadingLimits,
  warn: Warn,
  line: number | null = null,
): { places: number[]; names: string[] } => {
  const unnamed = cells.flatMap((name, place) => (name.trim() === "" ? [place] : []));
  const named = cells.length - unnamed.length;
  if (named > maxColumns) {
    const message = `there are ${formatCount(named)} columns, but the limit is ${formatCount(maxColumns)}.`;
    throw tooLarge(`${message} Leave some out, or raise GROUNDWIRE_MAX_DATASET_COLUMNS.`, { line: line ?? undefined });
  }
  if (unnamed.length > 0) warn({ line, column: null, message: unnamedColumns(unnamed) });
  const places: number[] = [];
  const names = new Set<string>();
  for (const [place, cell] of cells.entries()) {
    if (cell.trim() === "") continue;
    const column = String(place + 1);
    const problem = nameProblem(cell);
    if (problem) {
      warn({ line, column, message: `${problem} The column is left out: rename it to keep it.` });
      continue;
    }
    const name = unusedName(cell, names);
    if (name !== cell) {
      const message = `an earlier column is also named "${cell.toWellFormed()}", so this one is called "${name}".`;
      warn({ line, column, message: `${message} Rename it, or map it by this name.` });
    }
    names.add(name);
    places.push(place);
  }
  return { places, names: [...names] };
};

const unnamedColumns = (places: readonly number[]): string => {
  const listed = places.slice(0, MAX_LISTED).map((place) => place + 1);
  const more = places.length > MAX_LISTED ? ` and ${formatCount(places.length - MAX_LISTED)} more` : "";
  return places.length === 1
    ? `column ${listed[0]} has no name and is left out. Name it to keep it.`
    : `columns ${listed.join(", ")}${more} have no names and are left out. Name them to keep them.`;
};

/** Makes a column name unique: `answer (2)` for the second column named `answer`. */
const unusedName = (name: string, used: ReadonlySet<string>): string => {
  if (!used.has(name)) return name;
  for (let count = 2; ; count++) if (!used.has(`${name} (${count})`)) return `${name} (${count})`;
};
