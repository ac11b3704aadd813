import { dotted } from "../../validation/problems";
import type { RowProblem } from "./rows";
import type { SampleProblem } from "./sample-check";

/**
 * A problem of a sample in the words of the file: the column stands for the field that it fills. `fields` is in the order
 * of `columns`.
 */
export const toRowProblem = (
  { path, message }: SampleProblem,
  columns: readonly string[],
  fields: readonly (string | null)[],
): RowProblem => {
  const [, first = "", second] = path.split("/");
  const candidates = [...(second === undefined ? [] : [`/${first}/${second}`]), `/${first}`].map(dotted);
  for (const field of candidates) {
    const column = columns[fields.indexOf(field)];
    if (column !== undefined) return { column, message: column + message.slice(field.length) };
  }
  return { column: null, message };
};
