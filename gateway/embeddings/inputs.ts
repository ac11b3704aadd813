import type { EmbeddingRequest } from "./contract";

/** A text or token ids. */
export type EmbeddingInput = string | number[];

export interface EmbeddingInputs {
  inputs: EmbeddingInput[];
  /** The name of an input in errors: `input.3`, or `input` if there is only one. */
  nameOf(index: number): string;
}

/** The inputs of a validated request. */
export const readInputs = (input: EmbeddingRequest["input"]): EmbeddingInputs => {
  if (typeof input === "string") return { inputs: [input], nameOf: () => "input" };
  // A list of numbers is one input. Checking the first item is enough, because the contract rejects mixed lists.
  const isList = typeof input[0] !== "number";
  return {
    inputs: isList ? (input as EmbeddingInput[]) : [input as number[]],
    nameOf: (index) => (isList ? `input.${index}` : "input"),
  };
};

/** Each distinct input in order of first appearance; `places` maps every input of the request to its distinct input. */
export const distinct = (inputs: readonly EmbeddingInput[]): { inputs: EmbeddingInput[]; places: number[] } => {
  const placeOf = new Map<string, number>();
  const found: EmbeddingInput[] = [];
  const places = inputs.map((input) => {
    // In JSON, the text "[1]" and the tokens [1] differ.
    const key = JSON.stringify(input);
    const known = placeOf.get(key);
    if (known !== undefined) return known;
    placeOf.set(key, found.length);
    return found.push(input) - 1;
  });
  return { inputs: found, places };
};

/** TEI, which may run behind a node, accepts no more per request by default. */
const MOST_INPUTS = 32;
/** Maximum characters or tokens per batch, unless a single input is longer, so that no request occupies a node for long. */
const MOST_LENGTH = 32_768;

/** An input to compute, with its place in the list. */
export interface Missing {
  index: number;
  input: EmbeddingInput;
}

/** Splits inputs into batches, each for one request to a node, in order. */
export const cutBatches = (inputs: readonly Missing[]): Missing[][] => {
  const batches: Missing[][] = [];
  let length = 0;
  for (const missing of inputs) {
    const current = batches.at(-1);
    length += missing.input.length;
    if (current && current.length < MOST_INPUTS && length <= MOST_LENGTH) current.push(missing);
    else {
      batches.push([missing]);
      length = missing.input.length;
    }
  }
  return batches;
};
