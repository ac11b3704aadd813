import { unguardText } from "../../../../lib/csv";
import { NumberText, parseJson } from "../formats/json-value";
import { type Row, type RowProblem, Unreadable } from "../rows";
import { FIELDS, type Field, isField, METADATA_PREFIX } from "./fields";

/**
 * Converts the values of a row to a sample's values. Values that can't be converted are passed on unchanged, and the
 * sample check reports them. Undefined means no value.
 */
export interface Cells {
  text(value: unknown): unknown;
  list(value: unknown): unknown;
  references(value: unknown): unknown;
  input(value: unknown): unknown;
  scalar(value: unknown): unknown;
  object(value: unknown): unknown;
  json(value: unknown): unknown;
}

/** Numbers and booleans become their text in the file, or their JSON text if the file stores numbers in binary. */
const asText = (value: unknown): unknown => {
  if (typeof value === "boolean" || typeof value === "number" || value instanceof NumberText) return String(value);
  return value ?? undefined;
};

const asList = (value: unknown): unknown => {
  if (value === null || value === undefined || value === "") return undefined;
  if (Array.isArray(value)) return value.map((item) => asText(item) ?? null);
  const text = asText(value);
  return typeof text === "object" ? text : [text];
};

/**
 * SQuAD stores answers as `{text: […], answer_start: […]}`, or as a list of `{text, answer_start}`. Returns their
 * texts, and other values unchanged.
 */
const squadTexts = (value: unknown): unknown =>
  Array.isArray(value) ? value.map((item) => textIn(item) ?? item) : (textIn(value) ?? value);

const textIn = (value: unknown): unknown =>
  typeof value === "object" && value !== null && !(value instanceof NumberText) && "text" in value
    ? value.text
    : undefined;

/**
 * Metadata values are scalars: lists and objects become JSON text, and so does a number that a double can't represent.
 */
const asScalar = (value: unknown): unknown => {
  if (value instanceof Unreadable) return undefined;
  if (value instanceof NumberText) return value.value;
  return typeof value === "object" && value !== null ? JSON.stringify(value) : value;
};

const asMetadata = (value: unknown): unknown => {
  if (value instanceof Unreadable || value === null || value === undefined) return undefined;
  if (typeof value !== "object" || Array.isArray(value) || value instanceof NumberText) {
    return { metadata: asScalar(value) };
  }
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, asScalar(inner)]));
};

/** A JSON value with JavaScript's numbers. */
const asJson = (value: unknown): unknown => {
  if (value instanceof NumberText) return Number(value.text);
  if (typeof value !== "object" || value === null) return value ?? undefined;
  if (Array.isArray(value)) return value.map((item) => asJson(item) ?? null);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, asJson(inner) ?? null]));
};

export const typedCells: Cells = {
  text: asText,
  list: asList,
  references: (value) => asList(squadTexts(value)),
  input: (value) => (Array.isArray(value) ? value : asText(value)),
  scalar: asScalar,
  object: asMetadata,
  json: asJson,
};

const STRUCTURE = /^\s*[[{]/;
const LIST = /^\s*\[/;
const OBJECT = /^\s*\{/;

/** Parses a cell that contains a list or object as JSON; other text is unchanged. */
const readJson = (cell: unknown, pattern: RegExp): unknown => {
  if (typeof cell !== "string" || !pattern.test(cell)) return cell;
  const { value } = parseJson(cell);
  return value ?? cell;
};

const isMessages = (value: unknown): value is object[] =>
  Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "object" && item && "role" in item);

const notEmpty = (cell: unknown): unknown => (cell === "" ? undefined : cell);

/** CSV cells, which are all text. An empty cell has no value; lists and objects are JSON. */
export const textCells: Cells = {
  text: notEmpty,
  list: (cell) => asList(readJson(cell, LIST)),
  references: (cell) => {
    const texts = squadTexts(readJson(cell, STRUCTURE));
    return asList(Array.isArray(texts) ? texts : cell);
  },
  input: (cell) => {
    const value = readJson(cell, LIST);
    return isMessages(value) ? value : notEmpty(cell);
  },
  scalar: notEmpty,
  object: (cell) => (cell === "null" ? undefined : asMetadata(readJson(notEmpty(cell), OBJECT))),
  json: (cell) => (cell === "null" ? undefined : asJson(readJson(notEmpty(cell), STRUCTURE))),
};

/** The fields that the exports of every version contain. */
const EXPORTED_FIELDS = FIELDS.slice(0, FIELDS.indexOf("metadata") + 1);

/** A file with a column for each of these fields is read as one of our own exports, so `guardText` is undone. */
export const isExport = (columns: readonly string[]): boolean =>
  EXPORTED_FIELDS.every((name) => columns.includes(name));

/** Cells of our own exports, in which `guardText` protects text from being run as a formula. */
export const exportCells: Cells = {
  ...textCells,
  text: (cell) => (typeof cell === "string" && cell !== "" ? unguardText(cell) : undefined),
  input: (cell) => {
    const value = textCells.input(cell);
    return typeof value === "string" ? unguardText(value) : value;
  },
};

/** An unchecked sample: its fields may contain anything. */
export type Draft = Partial<Record<Field, unknown>>;

/** Maps a row's values to the fields of a sample. `fields` is in the order of the row's columns. */
export const mapRow = (
  { columns, values }: Row,
  fields: readonly (string | null)[],
  cells: Cells,
): { draft: Draft; problem?: RowProblem } => {
  const draft: Draft = {};
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
      draft.references = joined(draft.references, cells.references(value), false);
      break;
    case "expected_tool_calls":
    case "tools":
    case "tool_choice":
      draft[field] = cells.json(value);
      break;
    case "contexts":
    case "tags":
      draft[field] = joined(draft[field], cells.list(value), field === "tags");
      break;
    default:
      draft[field] = cells.text(value);
  }
};

/** Joins the values of several columns that map to the same list. Tags are deduplicated. */
const joined = (list: unknown, more: unknown, isSet: boolean): unknown => {
  if (more !== undefined && !Array.isArray(more)) return more;
  const both = Array.isArray(list) ? [...list, ...(more ?? [])] : (list ?? more);
  return isSet && Array.isArray(both) ? [...new Set(both)] : both;
};
