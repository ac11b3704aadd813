import { TypeCompiler } from "@sinclair/typebox/compiler";
import { leaveOutNeutral } from "../../../validation/neutral-values";
import { describeErrors, dotted } from "../../../validation/problems";
import { NewSample } from "../../sample-contract";
import type { Draft } from "../columns/cells";
import { MAX_METADATA_NAME_LENGTH } from "../columns/fields";
import type { RowProblem } from "../rows";
import { BAD_BYTE } from "../text";

/** `path` is a JSON pointer into the sample; the message starts with it in dotted form. */
export interface SampleProblem {
  path: string;
  message: string;
}

const compiled = TypeCompiler.Compile(NewSample);

export const INPUT_EMPTY = "input is empty.";
const LIST_NOT_OBJECT = /^(references|contexts|tags) must be a list, not an object\.$/;
const STRUCT_HINT = 'Write a string or a list of strings. References may also be {"text": ["…"]}, as in SQuAD.';

/** Converts a draft to a valid sample that every database can store, or returns its problems. */
export const checkSample = (draft: Draft): { sample: NewSample } | { problems: SampleProblem[] } => {
  if (isBlank(draft.input)) return { problems: [{ path: "/input", message: INPUT_EMPTY }] };
  leaveOutNeutral(NewSample, draft);
  if (!compiled.Check(draft)) return { problems: describeErrors(compiled.Errors(draft)).map(withPath) };
  const longName = Object.keys(draft.metadata ?? {}).find((name) => name.length > MAX_METADATA_NAME_LENGTH);
  if (longName !== undefined) {
    const message = `metadata has a name longer than ${MAX_METADATA_NAME_LENGTH} characters.`;
    return { problems: [{ path: "/metadata", message }] };
  }
  const broken = findBrokenText(draft);
  if (!broken) return { sample: draft };
  const { path, text } = broken;
  return { problems: [{ path, message: `${dotted(path)} ${whyBroken(text)}` }] };
};

const withPath = ({ path, message }: SampleProblem): SampleProblem => {
  if (LIST_NOT_OBJECT.test(message)) return { path, message: `${message} ${STRUCT_HINT}` };
  return message.startsWith(dotted(path)) ? { path, message } : { path, message: `${dotted(path)}: ${message}` };
};

const isBlank = (input: unknown): boolean =>
  input === undefined || input === null || (typeof input === "string" && input.trim() === "");

const LONE_BAD_BYTE = new RegExp(`(?<![\\ud800-\\udbff])${BAD_BYTE}`);

const whyBroken = (text: string): string => {
  if (text.includes("\0")) return "contains a NUL character. Remove it.";
  if (LONE_BAD_BYTE.test(text)) return "contains a byte that is not UTF-8. Save the file as UTF-8.";
  return "contains an unpaired surrogate. Remove it.";
};

/** JSON can contain strings that are not valid Unicode, with lone surrogates. */
const isBroken = (text: string): boolean => text.includes("\0") || !text.isWellFormed();

/** The first invalid string. Its path is only built once one is found, because nearly every sample is valid. */
const findBrokenText = (value: unknown): { path: string; text: string } | undefined => {
  if (typeof value === "string") return isBroken(value) ? { path: "", text: value } : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const name in value) {
    if (isBroken(name)) return { path: "", text: name };
    const found = findBrokenText(Reflect.get(value, name));
    const step = found && name.replaceAll("~", "~0").replaceAll("/", "~1");
    if (found) return { ...found, path: `/${step}${found.path}` };
  }
  return undefined;
};

/** Rewords a sample's problem with the column names of the file. `fields` is in the order of `columns`. */
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
