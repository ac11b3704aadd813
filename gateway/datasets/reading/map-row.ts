import type { Cells } from "./cells";
import { type Field, isField, METADATA_PREFIX } from "./fields";
import type { Row, RowProblem } from "./rows";

/** A sample before its check: any field may hold anything. */
export type Draft = Partial<Record<Field, unknown>>;

/** Puts the values of a row into the fields of a sample; `fields` is in the order of the row's columns. */
export const mapRow = (
  { columns, values }: Row,
  fields: readonly (string | null)[],
  cells: Cells,
): { draft: Draft; problem?: RowProblem } => {
  const draft: Draft = {};
  /** Parts of metadata that have columns of their own. */
  const parts: { name: string; value: unknown; column: string | null }[] = [];
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] ?? null;
    if (field === null) continue;
    if (isField(field)) fill(draft, field, values[i], cells);
    else {
      const value = cells.scalar(values[i]);
      const name = field.slice(METADATA_PREFIX.length);
      if (value !== undefined) parts.push({ name, value, column: columns[i] ?? null });
    }
  }
  const whole = draft.metadata ?? {};
  if (parts.length === 0 || typeof whole !== "object") return { draft };
  const double = parts.find(({ name }) => Object.hasOwn(whole, name));
  if (double) {
    const message = `metadata already has a value named "${double.name}". Map one of them to another name.`;
    return { draft, problem: { column: double.column, message } };
  }
  draft.metadata = Object.fromEntries([...Object.entries(whole), ...parts.map(({ name, value }) => [name, value])]);
  return { draft };
};

const fill = (draft: Draft, field: Field, value: unknown, cells: Cells): void => {
  switch (field) {
    case "input":
      draft.input = cells.input(value);
      break;
    case "metadata":
      draft.metadata = cells.object(value);
      break;
    case "references":
    case "contexts":
    case "tags":
      draft[field] = joined(draft[field], cells.list(value), field === "tags");
      break;
    default:
      draft[field] = cells.text(value);
  }
};

/** Several columns on a list fill it one after the other. Tags are a set. */
const joined = (list: unknown, more: unknown, isSet: boolean): unknown => {
  if (more !== undefined && !Array.isArray(more)) return more;
  const both = Array.isArray(list) ? [...list, ...(more ?? [])] : (list ?? more);
  return isSet && Array.isArray(both) ? [...new Set(both)] : both;
};
