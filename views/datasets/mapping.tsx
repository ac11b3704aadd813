import type { ValidationReport } from "../../gateway/datasets/contract";
import { own } from "../../lib/own";

/** Fields of a sample that a column may become, in words. Names of forms: `column.0`, `column.1` … in the file's order. */
const FIELDS: readonly [value: string, words: string][] = [
  ["input", "Input: the question"],
  ["references", "References: answers that count as correct"],
  ["contexts", "Contexts: texts that an answer has to stand on"],
  ["output", "Output: an answer to be scored"],
  ["key", "Key: names the sample across revisions"],
  ["group", "Group: samples of one source"],
  ["tags", "Tags"],
  ["metadata", "Metadata: all of it, as an object"],
];

/** What each column becomes, as it was guessed or chosen. */
export const MappingFields = ({ report: { columns, mapping } }: { report: ValidationReport }) => (
  <fieldset class="mapping">
    <legend>Columns</legend>
    {columns.map((column, index) => (
      <div class="mapping-row">
        <label for={`column-${index}`}>{column}</label>
        <FieldChoice column={column} index={index} chosen={own(mapping, column)} />
      </div>
    ))}
  </fieldset>
);

/** `chosen`: the field that the column fills; undefined: none. */
const FieldChoice = ({ column, index, chosen }: { column: string; index: number; chosen: string | undefined }) => {
  const isMetadata = chosen?.startsWith("metadata.");
  return (
    <select id={`column-${index}`} name={`column.${index}`}>
      {FIELDS.map(([value, words]) => (
        <option value={value} selected={chosen === value}>
          {words}
        </option>
      ))}
      <option value={isMetadata ? chosen : `metadata.${column}`} selected={isMetadata}>
        Metadata: kept beside, not used
      </option>
      <option value="" selected={chosen === undefined}>
        Leave out
      </option>
    </select>
  );
};

/** The mapping that a filled form asks for; null leaves a column out. */
export const readMapping = (
  columns: readonly string[],
  fields: Readonly<Record<string, string>>,
): Record<string, string | null> =>
  Object.fromEntries(columns.map((column, index) => [column, fields[`column.${index}`] || null]));
