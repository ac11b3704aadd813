import type { SchemaTree } from "hyparquet";
import { isMapLike } from "hyparquet/src/schema.js";
import { FORBIDDEN_NAMES, forbiddenName } from "../../limits";
import { invalid } from "../../problems";
import { Unreadable } from "../../rows";
import { logicalValue } from "./logical-values";
import { toJson } from "./values";

/** The conversion of the stored values at this path from the schema's root; undefined if they need none. */
export const valueParser = (schemaPath: readonly SchemaTree[]): ((stored: unknown) => unknown) | undefined => {
  const leaf = schemaPath.at(-1);
  const toValue = leaf && logicalValue(leaf.element);
  const map = schemaPath.at(-3);
  const isMapKey = map !== undefined && isMapLike(map) && leaf?.element.name === "key";
  return isMapKey ? (stored) => mapKey(toJson(toValue ? toValue(stored) : stored)) : toValue;
};

/** Keys of maps become the names of an object's properties. */
const mapKey = (key: unknown): string => {
  if (key instanceof Unreadable) throw invalid("a key of a map is not UTF-8 text.");
  const name = String(key);
  if (FORBIDDEN_NAMES.has(name)) throw invalid(`${forbiddenName(name)}.`);
  return name;
};
