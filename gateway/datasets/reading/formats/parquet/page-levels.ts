import type { PageHeader } from "hyparquet";
import { bitWidth, readHybrid } from "./hybrid";
import { checkStated } from "./stated";

/** How the values of a page are spread over rows, by Dremel's levels; undefined where all of them are 0. */
export interface Levels {
  repetitions?: Uint8Array;
  definitions?: Uint8Array;
  /** Where in the page the values begin. */
  valuesAt: number;
}

/** The levels of a data page, `count` of each; `bounds` are the highest ones of its column. Throws dataset_invalid. */
export const readLevels = (
  { data_page_header_v2: v2 }: PageHeader,
  page: Uint8Array,
  count: number,
  bounds: { repetition: number; definition: number },
  column: string,
): Levels => {
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  let at = 0;
  const read = (max: number, stated: number | undefined): Uint8Array | undefined => {
    if (max === 0 && stated === undefined) return undefined;
    // Pages of the first version state the length in front of the levels, those of the second in the header.
    const start = stated === undefined ? at + 4 : at;
    const end = checkStated(start + (stated ?? view.getUint32(at, true)), page.length, column);
    at = end;
    if (max === 0) return undefined;
    const levels = new Uint8Array(count);
    readHybrid(page, { start, end, width: bitWidth(max) }, levels);
    return levels;
  };
  const repetitions = read(bounds.repetition, v2?.repetition_levels_byte_length);
  const definitions = read(bounds.definition, v2?.definition_levels_byte_length);
  return { repetitions, definitions, valuesAt: at };
};
