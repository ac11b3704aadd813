import { isObject } from "../../../lib/is-object";

/** Relative tolerance: logarithms and exponentials may differ in the last bits between processors. */
const TOLERANCE = 1e-9;

export interface Difference {
  /** The figure, such as `statistics[correctness by exact@1].mean`; "" for the whole value. */
  path: string;
  stored: unknown;
  computed: unknown;
}

/** Compares two JSON values and lists the paths where they differ. `onEqual` is called for each equal number or text. */
export function* differencesOf(
  stored: unknown,
  computed: unknown,
  onEqual: () => void = () => {},
  path = "",
): Generator<Difference> {
  if (Array.isArray(stored) && Array.isArray(computed) && stored.length === computed.length) {
    for (const [n, item] of stored.entries()) {
      yield* differencesOf(item, computed[n], onEqual, `${path}[${nameOf(item, n)}]`);
    }
  } else if (isObject(stored) && isObject(computed)) {
    for (const name of new Set([...Object.keys(stored), ...Object.keys(computed)])) {
      yield* differencesOf(stored[name], computed[name], onEqual, path === "" ? name : `${path}.${name}`);
    }
  } else if (isSame(stored, computed)) onEqual();
  else yield { path, stored, computed };
}

export const isEqual = (stored: unknown, computed: unknown): boolean =>
  differencesOf(stored, computed).next().done === true;

const isSame = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== "number" || typeof b !== "number") return false;
  return Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a), Math.abs(b));
};

/** The name of an item in a list of figures. */
const nameOf = (item: unknown, index: number): string => {
  if (!isObject(item)) return String(index);
  const { metric, evaluator, kind, name, k } = item;
  if (typeof metric === "string") return `${metric} by ${evaluator}`;
  if (typeof kind === "string") return `${kind} ${JSON.stringify(name)}`;
  return typeof k === "number" ? `k=${k}` : String(index);
};
