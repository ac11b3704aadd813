import type { ValidationReport } from "../../gateway/datasets/contract";
import { LIST_FIELDS } from "../../gateway/datasets/reading/columns/fields";
import { ownValue } from "../../lib/own-value";
import { Notes } from "../ui/fields";

/**
 * Sample fields to which a column can map, with their labels. The form's fields are `column.0`, `column.1` … in the
 * file's order.
 */
const FIELDS: readonly [value: string, words: string][] = [
  ["input", "Input: the question"],
  ["references", "References: expected answers"],
  ["contexts", "Contexts: source texts the answer must rely on"],
  ["output", "Output: an existing answer to score"],
  ["key", "Key: identifies the sample across revisions"],
  ["group", "Group: samples from the same source"],
  ["tags", "Tags"],
  ["metadata", "Metadata: the whole object"],
  ["expected_tool_calls", "Expected function calls"],
  ["tools", "Tools: functions that the model may call"],
  ["tool_choice", "Tool choice"],
];

interface MappingFieldsProps {
  report: ValidationReport;
  chosen: Readonly<Record<string, string | null>>;
  problem?: string;
}

/** The guessed or chosen field of each column, with example values. */
export const MappingFields = ({ report: { columns, examples }, chosen, problem }: MappingFieldsProps) => (
  <fieldset class="mapping" id="mapping" tabindex={-1} aria-describedby={problem && "mapping-problem"}>
    <legend>Columns</legend>
    <Notes id="mapping" problem={problem} />
    {columns.map((column, index) => (
      <div class="mapping-row">
        <div>
          <label for={`column-${index}`}>{column}</label>
          <Examples values={ownValue(examples, column) ?? []} id={`column-${index}-values`} />
        </div>
        <FieldChoice column={column} index={index} chosen={ownValue(chosen, column) ?? undefined} />
      </div>
    ))}
  </fieldset>
);

const Examples = ({ values, id }: { values: readonly string[]; id: string }) => (
  <p class="hint" id={id} dir="auto">
    {values.length === 0 ? "no values" : values.join(" · ")}
  </p>
);

/** `chosen`: the field that the column maps to, if any. */
const FieldChoice = ({ column, index, chosen }: { column: string; index: number; chosen: string | undefined }) => {
  const isMetadata = chosen?.startsWith("metadata.");
  return (
    <select id={`column-${index}`} name={`column.${index}`} aria-describedby={`column-${index}-values`}>
      {FIELDS.map(([value, words]) => (
        <option value={value} selected={chosen === value}>
          {words}
        </option>
      ))}
      <option value={isMetadata ? chosen : `metadata.${column}`} selected={isMetadata}>
        Metadata: kept, not scored
      </option>
      <option value="" selected={chosen === undefined}>
        Leave out
      </option>
    </select>
  );
};

/** Whether a column holds the question, which every sample needs. */
export const hasInput = ({ mapping }: Pick<ValidationReport, "mapping">): boolean =>
  Object.values(mapping).includes("input");

/** The mapping in a submitted form; null: the column is left out. */
export const readMapping = (
  columns: readonly string[],
  fields: Readonly<Record<string, string>>,
): Record<string, string | null> =>
  Object.fromEntries(columns.map((column, index) => [column, fields[`column.${index}`] || null]));

/** The problem with a mapping, if any: several columns can't map to a field with a single value. */
export const mappingProblem = (mapping: Readonly<Record<string, string | null>>): string | undefined => {
  for (const [field, words] of FIELDS) {
    const columns = Object.keys(mapping).filter((column) => mapping[column] === field);
    if (columns.length < 2 || LIST_FIELDS.has(field)) continue;
    const names = columns.map((column) => `“${column}”`);
    return `Set only one column to “${words}”, not ${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  }
  return undefined;
};
