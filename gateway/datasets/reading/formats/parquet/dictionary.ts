import type { DecodedArray } from "hyparquet";
import { damaged } from "./file";

/** The values of a column that its pages name by number. */
export interface Dictionary {
  /** Throws dataset_invalid for numbers that are not in it. */
  pick(numbers: Uint32Array): DecodedArray;
}

/** Values that are decoded already. */
export const valueDictionary = (values: DecodedArray): Dictionary => ({
  pick: (numbers) => Array.from(numbers, (number) => known(values[number])),
});

/**
 * Texts as the bytes of the page that they lie in, four bytes of length in front of each: an object for each text would
 * take more than most texts do.
 */
export const textDictionary = (page: Uint8Array, count: number): Dictionary => {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const starts = new Uint32Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    starts[i] = at + 4;
    at += 4 + view.getUint32(at, true);
    if (at > page.length) throw damaged("a dictionary ends too early");
  }
  const textAt = (start: number): Uint8Array => page.subarray(start, start + view.getUint32(start - 4, true));
  return { pick: (numbers) => Array.from(numbers, (number) => textAt(known(starts[number]))) };
};

const known = <T>(value: T | undefined): T => {
  if (value === undefined) throw damaged("a value is not in its dictionary");
  return value;
};
