import { Type } from "@sinclair/typebox";
import type { AppError } from "../../lib/errors";
import type { EncodingFormat } from "../../lib/vectors";
import { contextOverflow, type Fields, known, readModel, readValue, refuse, shown, textOf } from "./fields";

/** A text, or token ids of the model. */
export type EmbeddingInput = string | number[];

export interface EmbeddingParameters {
  model?: string;
  /** 1 to 2,048, none of them empty. */
  inputs: EmbeddingInput[];
  dimensions?: number;
  /** Name of an input in errors: `input.3`, or `input` for a request with one text. */
  nameOf(index: number): string;
}

const FIELDS: ReadonlySet<string> = new Set(["model", "input", "encoding_format", "dimensions", "user"]);
const Dimensions = Type.Integer({ minimum: 1, maximum: 100_000 });
/** OpenAI's own limit. */
const MAX_INPUTS = 2048;
const FORMS = "input must be a text, a list of texts, a list of token ids, or a list of such lists";

/** The parameters that an embedder in this process needs. Throws invalid_request, naming the field in `param`. */
export const readEmbeddingParameters = (body: Fields): EmbeddingParameters => {
  known(body, FIELDS, "", " by this model");
  const { input } = body;
  const isList = Array.isArray(input) && typeof input[0] !== "number";
  const items: unknown[] = isList ? input : [input];
  if (items.length === 0) throw refuse("input", "input must not be empty.");
  if (items.length > MAX_INPUTS) {
    throw refuse(
      "input",
      `input must be at most ${MAX_INPUTS} texts, not ${items.length}. Send them in several requests.`,
    );
  }
  const nameOf = (index: number) => (isList ? `input.${index}` : "input");
  return {
    model: readModel(body),
    inputs: items.map((item, index) => readInput(item, nameOf(index))),
    dimensions: readValue(body, "dimensions", Dimensions),
    nameOf,
  };
};

const readInput = (value: unknown, param: string): EmbeddingInput => {
  if (value === "" || (Array.isArray(value) && value.length === 0)) throw refuse(param, `${param} must not be empty.`);
  if (typeof value === "string") return textOf(value, param);
  if (Array.isArray(value) && value.every((id) => Number.isSafeInteger(id) && id >= 0)) return value;
  throw refuse(param, `${FORMS}; ${param} is ${shown(value)}.`);
};

/** How the vectors are encoded. The server reads this for every embedder. Throws invalid_request. */
export const readEncodingFormat = ({ encoding_format: value }: Fields): EncodingFormat => {
  if (value === undefined || value === null || value === "float") return "float";
  if (value === "base64") return "base64";
  throw refuse("encoding_format", `encoding_format must be float or base64, not ${shown(value)}.`);
};

/** Refuses a length that the model's vectors do not have. */
export const checkDimensions = (wanted: number | undefined, own: number): void => {
  if (wanted === undefined || wanted === own) return;
  throw refuse("dimensions", `dimensions must be ${own}, not ${wanted}: this model can't shorten its vectors.`);
};

/** `tokens` is the length of the input as text: "600", or "at least 600". */
export const inputTooLong = (contextWindow: number, tokens: string, param: string): AppError =>
  contextOverflow(contextWindow, `${param} has ${tokens}. Shorten it, or split it.`, param);
