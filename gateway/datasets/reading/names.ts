import { forbiddenName } from "./json-problem";
import { FORBIDDEN_NAMES, MAX_NAME_LENGTH, type ReadingLimits } from "./limits";
import { formatCount, invalid, tooLarge } from "./problems";

/** Why a column can't have this name. */
export const nameProblem = (name: string): string | undefined => {
  if (name.trim() === "") return "the name of a column is empty. Name it.";
  if (name.length > MAX_NAME_LENGTH) return `the name of a column is longer than ${MAX_NAME_LENGTH} characters.`;
  if (FORBIDDEN_NAMES.has(name)) return `${forbiddenName(name)}.`;
  return undefined;
};

/** Throws dataset_invalid when a name of the header can't be one or is there twice, payload_too_large at too many. */
export const checkHeader = (
  names: readonly string[],
  line: number | undefined,
  { maxColumns }: ReadingLimits,
): void => {
  if (names.length > maxColumns) {
    const message = `there are ${formatCount(names.length)} columns, and ${formatCount(maxColumns)} at most are read.`;
    throw tooLarge(`${message} Leave some out, or raise GROUNDWIRE_MAX_DATASET_COLUMNS.`, { line });
  }
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    const place = { line, column: String(index + 1) };
    const problem = nameProblem(name);
    if (problem) throw invalid(problem, place);
    if (seen.has(name)) throw invalid(`the name "${name}" is there twice. Rename one of the columns.`, place);
    seen.add(name);
  }
};
