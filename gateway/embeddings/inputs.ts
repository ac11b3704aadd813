import { AppError } from "../../lib/errors";
import { notReported, type ResolvedModel } from "../models/registry";
import type { EmbeddingRequest } from "./contract";

/** A string or token ids. */
export type EmbeddingInput = string | number[];

export interface EmbeddingInputs {
  inputs: EmbeddingInput[];
  /** An input's name in errors: `input.3`, or `input` if there is only one. */
  nameOf(index: number): string;
}

/** The inputs of a validated request. */
export const readInputs = (input: EmbeddingRequest["input"]): EmbeddingInputs => {
  if (typeof input === "string") return { inputs: [input], nameOf: () => "input" };
  // A list of numbers is a single input. Checking the first item is enough, because the contract rejects mixed lists.
  const isList = typeof input[0] !== "number";
  return {
    inputs: isList ? (input as EmbeddingInput[]) : [input as number[]],
    nameOf: (index) => (isList ? `input.${index}` : "input"),
  };
};

/** query: a question to search with. document: a text to find. */
export type InputType = NonNullable<EmbeddingRequest["input_type"]>;

/**
 * The model's prefix for this input type. Throws unavailable until a node has reported the model, because a vector without
 * the prefix would be wrong.
 */
export const prefixOf = ({ isKnown, prefixes }: ResolvedModel, type: InputType | undefined): string => {
  if (type === undefined) return "";
  if (isKnown) return prefixes?.[type] ?? "";
  throw notReported();
};

/** Adds the prefix to each text. Throws invalid_request for token ids with an input type, which can't get a prefix. */
export const addPrefix = (
  inputs: readonly EmbeddingInput[],
  model: ResolvedModel,
  type: InputType | undefined,
): readonly EmbeddingInput[] => {
  if (type === undefined) return inputs;
  const prefix = prefixOf(model, type);
  return inputs.map((input) => {
    if (typeof input === "string") return prefix + input;
    throw new AppError(
      "invalid_request",
      "`input_type` applies only to texts. Omit it, or send texts instead of token ids.",
      { param: "input_type" },
    );
  });
};

/** Each distinct input in order of first appearance; `places` maps every input of the request to its distinct input. */
export const distinct = (inputs: readonly EmbeddingInput[]): { inputs: EmbeddingInput[]; places: number[] } => {
  const placeOf = new Map<string, number>();
  const found: EmbeddingInput[] = [];
  const places = inputs.map((input) => {
    // The JSON of the string "[1]" differs from that of the tokens [1].
    const key = JSON.stringify(input);
    const known = placeOf.get(key);
    if (known !== undefined) return known;
    placeOf.set(key, found.length);
    return found.push(input) - 1;
  });
  return { inputs: found, places };
};
