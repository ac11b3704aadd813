import { canonicalJson } from "../../../lib/canonical-json";
import { isObject } from "../../../lib/is-object";
import type { ToolCall } from "../../chat/message";
import type { Tool } from "../../chat/tools";
import type { ExpectedCall } from "../../datasets/sample-contract";
import type { ScoredAnswer } from "../scored-answer";
import type { ReferenceScore } from "./reference-evaluator";

type Arguments = Record<string, unknown>;

/** A call that the answer makes. `values` is undefined if its arguments aren't a JSON object. */
interface MadeCall {
  name: string;
  values: Arguments | undefined;
}

/** An expected call, and the call of the same function that it is compared with. */
interface Pair {
  expected: ExpectedCall;
  made: MadeCall | undefined;
  isEqual: boolean;
}

/**
 * Compares an answer's function calls with the expected ones. Scores, 0…1: the share of calls with the right name, and
 * the share that also has the right arguments. Missing and extra calls count as wrong. The order of calls and of keys
 * doesn't matter. A missing argument counts as its default in the function's parameters. Empty if the sample expects
 * nothing.
 */
export const scoreToolCalls = ({ calls }: ScoredAnswer): ReferenceScore[] => {
  if (calls === undefined) return [];
  const defaults = new Map(calls.tools.map(({ function: tool }) => [tool.name, defaultsOf(tool)]));
  const complete = (name: string, values: Arguments): Arguments => ({ ...defaults.get(name), ...values });
  const made = calls.made.map((call) => toMade(call, complete));
  const expected = calls.expected.map(({ name, arguments: values }) => ({ name, arguments: complete(name, values) }));
  const pairs = pairUp(expected, made);
  const used = new Set(pairs.map((pair) => pair.made));
  const extra = made.find((call) => !used.has(call));
  const count = Math.max(expected.length, made.length);
  const scored = (metric: string, right: number, difference: string | undefined): ReferenceScore => ({
    ...{ metric, value: count === 0 ? 1 : right / count, claims: [] },
    reason: difference ?? (count === 0 ? "As expected, no function was called." : "As expected."),
  });
  const named = pairs.filter((pair) => pair.made !== undefined).length;
  const equal = pairs.filter(({ isEqual }) => isEqual).length;
  const nameDifference = findNameDifference(pairs, extra);
  const differences = [findArgumentDifference(pairs), nameDifference].filter((text) => text !== undefined);
  return [
    scored("tool_name", named, nameDifference),
    scored("tool_arguments", equal, differences.length > 0 ? differences.join(" ") : undefined),
  ];
};

const toMade = (
  { function: { name, arguments: json } }: ToolCall,
  complete: (name: string, values: Arguments) => Arguments,
): MadeCall => {
  const values = parseArguments(json);
  return { name, values: values && complete(name, values) };
};

/** Servers send either an empty text or `{}` if there are no arguments. */
const parseArguments = (json: string): Arguments | undefined => {
  if (json.trim() === "") return {};
  try {
    const values: unknown = JSON.parse(json);
    return isObject(values) ? values : undefined;
  } catch {
    return undefined;
  }
};

const defaultsOf = ({ parameters }: Tool["function"]): Arguments => {
  const properties = isObject(parameters) && isObject(parameters.properties) ? parameters.properties : {};
  const withDefault = Object.entries(properties).flatMap(([name, property]) =>
    isObject(property) && property.default !== undefined ? [[name, property.default]] : [],
  );
  return Object.fromEntries(withDefault);
};

/** Pairs each expected call with an equal call if there is one, otherwise with the next call of the same function. */
const pairUp = (expected: readonly ExpectedCall[], made: readonly MadeCall[]): Pair[] => {
  const left = [...made];
  const take = (matches: (call: MadeCall) => boolean): MadeCall | undefined => {
    const at = left.findIndex(matches);
    return at === -1 ? undefined : left.splice(at, 1)[0];
  };
  const pairs = expected.map((call): Pair => {
    const equal = take(({ name, values }) => name === call.name && isSame(values, call.arguments));
    return { expected: call, made: equal, isEqual: equal !== undefined };
  });
  return pairs.map((pair) => ({ ...pair, made: pair.made ?? take(({ name }) => name === pair.expected.name) }));
};

const isSame = (a: unknown, b: unknown): boolean =>
  (a === undefined) === (b === undefined) && (a === undefined || canonicalJson(a) === canonicalJson(b));

const findNameDifference = (pairs: readonly Pair[], extra: MadeCall | undefined): string | undefined => {
  const missing = pairs.find(({ made }) => made === undefined)?.expected.name;
  if (missing !== undefined) {
    if (extra) return `Calls ${extra.name} instead of ${missing}.`;
    const isCalled = pairs.some(({ made }) => made?.name === missing);
    return isCalled ? `Calls ${missing} less often than expected.` : `Doesn't call ${missing}.`;
  }
  if (extra === undefined) return undefined;
  const isKnown = pairs.some(({ expected }) => expected.name === extra.name);
  return isKnown ? `Calls ${extra.name} more often than expected.` : `Calls ${extra.name}, which is not expected.`;
};

const findArgumentDifference = (pairs: readonly Pair[]): string | undefined => {
  const pair = pairs.find(({ made, isEqual }) => made !== undefined && !isEqual);
  if (pair?.made === undefined) return undefined;
  const { name } = pair.expected;
  if (pair.made.values === undefined) return `The arguments of ${name} are not a JSON object.`;
  const difference = findDifference(pair.made.values, pair.expected.arguments, "");
  return difference && `${name}: ${difference}`;
};

/**
 * The first difference between two JSON values, in the order of the expected value's keys: `city is "Paris", not
 * "Rome".`
 */
const findDifference = (made: unknown, expected: unknown, path: string): string | undefined => {
  if (isSame(made, expected)) return undefined;
  const isList = Array.isArray(made) && Array.isArray(expected);
  if (!isList && !(isObject(made) && isObject(expected))) return `${path} is ${short(made)}, not ${short(expected)}.`;
  const [left, right] = [new Map(Object.entries(made)), new Map(Object.entries(expected))];
  for (const name of new Set([...right.keys(), ...left.keys()])) {
    const inner = isList ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
    if (!left.has(name)) return `${inner} is missing.`;
    if (!right.has(name)) return `${inner} is not expected.`;
    const found = findDifference(left.get(name), right.get(name), inner);
    if (found !== undefined) return found;
  }
  return undefined;
};

const MAX_SHOWN = 100;

const short = (value: unknown): string => {
  const json = JSON.stringify(value);
  return json.length > MAX_SHOWN ? `${json.slice(0, MAX_SHOWN)}…` : json;
};
