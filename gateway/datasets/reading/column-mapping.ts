import { AppError } from "../../../lib/errors";
import { nearest } from "../../../lib/nearest";
import { FIELDS, LIST_FIELDS, MAX_METADATA_NAME_LENGTH, METADATA_PREFIX } from "./fields";
import { FORBIDDEN_NAMES } from "./limits";

/** Field of the sample by column of the file; null leaves a column out. Columns that are not named are guessed. */
export type ColumnMapping = Readonly<Record<string, string | null>>;

/** Columns that a message lists. */
const SHOWN_COLUMNS = 20;

/** Throws invalid_request for a field that samples don't have, and for two columns on a field that holds one value. */
export const checkMapping = (mapping: ColumnMapping): void => {
  const filled = new Map<string, string>();
  for (const [column, field] of Object.entries(mapping)) {
    if (field === null) continue;
    const problem = fieldProblem(field);
    if (problem) throw refuse(problem);
    const other = filled.get(field);
    if (other !== undefined && !LIST_FIELDS.has(field)) throw refuse(`${doubleUse(field, other, column)}`);
    filled.set(field, column);
  }
};

/** Throws invalid_request when the mapping names columns that the file does not have. */
export const checkMappedColumns = (mapping: ColumnMapping, columns: readonly string[]): void => {
  const known = new Set(columns);
  const unknown = Object.keys(mapping).filter((column) => !known.has(column));
  if (unknown.length === 0) return;
  const shown = columns.slice(0, SHOWN_COLUMNS).join(", ");
  const more = columns.length > SHOWN_COLUMNS ? ` and ${columns.length - SHOWN_COLUMNS} more` : "";
  throw refuse(`the file has no column ${quoted(unknown.slice(0, SHOWN_COLUMNS))}. It has ${shown}${more}.`);
};

/** Why no column can fill this field. */
export const fieldProblem = (field: string): string | undefined => {
  if (!field.startsWith(METADATA_PREFIX)) {
    if (FIELDS.some((known) => known === field)) return undefined;
    const near = nearest(field, FIELDS);
    const hint = near ? `Did you mean ${near}?` : `There are ${FIELDS.join(", ")} and metadata.<name>.`;
    return `"${field}" is no field of a sample. ${hint}`;
  }
  const name = field.slice(METADATA_PREFIX.length);
  if (name === "" || FORBIDDEN_NAMES.has(name)) return `"${name}" can't be a name in metadata. Choose another.`;
  if (name.length <= MAX_METADATA_NAME_LENGTH) return undefined;
  return `a name in metadata has at most ${MAX_METADATA_NAME_LENGTH} characters: map the column to a shorter one, or to null.`;
};

export const doubleUse = (field: string, ...columns: string[]): string =>
  `${field} holds one value, and the columns ${quoted(columns)} both go there. Map one of them to another field or to null.`;

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(" and ");

const refuse = (message: string): AppError =>
  new AppError("invalid_request", `mapping: ${message}`, { param: "mapping" });
