import type { EmbeddingRequest } from "./contract";

/** A text, or token ids of the model. */
export type EmbeddingInput = string | number[];

export interface EmbeddingInputs {
  inputs: EmbeddingInput[];
  /** What an error calls the input at `index`: `input.3`, or `input` where the request has only that one. */
  nameOf(index: number): string;
}

/** The inputs of a request, whose form the contract has checked. */
export const readInputs = (input: EmbeddingRequest["input"]): EmbeddingInputs => {
  if (typeof input === "string") return { inputs: [input], nameOf: () => "input" };
  // A list of numbers is one input; only the first item has to be looked at, because the contract allows no mixed list.
  const isList = typeof input[0] !== "number";
  return {
    inputs: isList ? (input as EmbeddingInput[]) : [input as number[]],
    nameOf: (index) => (isList ? `input.${index}` : "input"),
  };
};

/** Each input once, in the order in which it first comes; `places` leads from a request's input to its one. */
export const distinct = (inputs: readonly EmbeddingInput[]): { inputs: EmbeddingInput[]; places: number[] } => {
  const placeOf = new Map<string, number>();
  const found: EmbeddingInput[] = [];
  const places = inputs.map((input) => {
    // JSON tells the text "[1]" from the tokens [1].
    const key = JSON.stringify(input);
    const known = placeOf.get(key);
    if (known !== undefined) return known;
    placeOf.set(key, found.length);
    return found.push(input) - 1;
  });
  return { inputs: found, places };
};

/** TEI, which may stand behind a node, takes no more in one request unless it is told to. */
const MOST_INPUTS = 32;
/** Characters or tokens of a batch, beyond its first input: so that one request doesn't hold a node for long. */
const MOST_LENGTH = 32_768;

/** An input that has to be computed, by its place in the list that it is from. */
export interface Missing {
  index: number;
  input: EmbeddingInput;
}

/** Cuts inputs into batches for single requests to a node, in order. */
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
