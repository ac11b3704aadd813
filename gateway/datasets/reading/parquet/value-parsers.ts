import type { ParquetParsers, SchemaTree } from "hyparquet";
import { DEFAULT_PARSERS } from "hyparquet/src/convert.js";
import { isMapLike } from "hyparquet/src/schema.js";
import { forbiddenName } from "../json-problem";
import { FORBIDDEN_NAMES } from "../limits";
import { invalid } from "../problems";
import { toJson } from "./values";

/** Texts stay bytes until their row is read: a value of the dictionary may stand in many rows. */
const LAZY: ParquetParsers = {
  ...DEFAULT_PARSERS,
  stringFromBytes: (bytes) => bytes,
  jsonFromBytes: (bytes) => bytes,
};

/** Keys of maps become the names of an object's properties. */
const MAP_KEYS: ParquetParsers = {
  ...DEFAULT_PARSERS,
  stringFromBytes: (bytes) => {
    const key = toJson(bytes);
    if (typeof key !== "string") throw invalid("a key of a map is no text in UTF-8.");
    if (FORBIDDEN_NAMES.has(key)) throw invalid(`${forbiddenName(key)}.`);
    return key;
  },
};

/** How the stored values at the end of this path become values; the path begins at the root of the schema. */
export const parsersFor = (schemaPath: readonly SchemaTree[]): ParquetParsers => {
  const map = schemaPath.at(-3);
  const isMapKey = map !== undefined && isMapLike(map) && schemaPath.at(-1)?.element.name === "key";
  return isMapKey ? MAP_KEYS : LAZY;
};
