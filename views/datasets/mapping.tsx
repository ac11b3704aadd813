import type { ValidationReport } from "../../gateway/datasets/contract";

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
        <select id={`column-${index}`} name={`column.${index}`}>
          {FIELDS.map(([value, words]) => (
            <option value={value} selected={mapping[column] === value}>
              {words}
            </option>
          ))}
          <option value={metadataOf(column, mapping)} selected={mapping[column]?.startsWith("metadata.")}>
            Metadata: kept beside, not used
          </option>
          <option value="" selected={mapping[column] === undefined}>
            Leave out
          </option>
        </select>
      </div>
    ))}
  </fieldset>
);

/** What a column is called among the metadata: as it was chosen, or by its own name. */
const metadataOf = (column: string, mapping: ValidationReport["mapping"]): string =>
  mapping[column]?.startsWith("metadata.") ? mapping[column] : `metadata.${column}`;

/** The mapping that a filled form asks for; null leaves a column out. */
export const readMapping = (
  columns: readonly string[],
  fields: Readonly<Record<string, string>>,
): Record<string, string | null> =>
  Object.fromEntries(columns.map((column, index) => [column, fields[`column.${index}`] || null]));
