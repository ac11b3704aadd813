import { canonicalHash, canonicalJson } from "../../lib/canonical-json";
import { AppError } from "../../lib/errors";
import type { Criterion, Rubric } from "./contract";

const share = { min: 0, max: 1, step: null };

/** The built-in criteria for texts. */
export const BUILT_IN_CRITERIA: readonly Criterion[] = [
  {
    name: "correctness",
    description: "Does the answer say the same as one of the reference answers?",
    scale: share,
    direction: "higher_is_better",
    threshold: 0.5,
    weight: 1,
  },
  {
    name: "faithfulness",
    description: "Is everything that the answer claims supported by the contexts?",
    scale: share,
    direction: "higher_is_better",
    threshold: 0.5,
    weight: 1,
  },
  {
    name: "hallucination",
    description: "Which share of the answer's claims is not supported by the contexts?",
    scale: share,
    direction: "lower_is_better",
    // The same claims decide faithfulness. A second verdict would count them twice.
    threshold: null,
    weight: 0,
  },
];

const call = { scale: share, direction: "higher_is_better", threshold: 1, weight: 1 } as const;

/** The built-in criteria for function calls. Only `tool_call` scores them. */
export const CALL_CRITERIA: readonly Criterion[] = [
  { name: "tool_name", description: "What share of the function calls has the expected name?", ...call },
  { name: "tool_arguments", description: "What share of the function calls also has the expected arguments?", ...call },
];

/** Every criterion that a rubric can refer to by name. */
export const NAMED_CRITERIA: readonly Criterion[] = [...BUILT_IN_CRITERIA, ...CALL_CRITERIA];

/** Expands the criteria of a rubric. Throws invalid_request for an unknown name or a duplicate. */
export const criteriaOf = (rubric: Rubric): Criterion[] => {
  const criteria = rubric.criteria.map((given, index) => {
    if (typeof given !== "string") return checked(given, index);
    const found = NAMED_CRITERIA.find(({ name }) => name === given);
    if (found) return found;
    const known = NAMED_CRITERIA.map(({ name }) => name).join(", ");
    throw wrong(index, `"${given}" is not a built-in criterion. Built in: ${known}. Send your own criteria in full.`);
  });
  const names = criteria.map(({ name }) => name);
  const twice = names.findIndex((name, index) => names.indexOf(name) < index);
  if (twice >= 0) throw wrong(twice, `The criterion "${names[twice]}" is listed twice.`);
  return criteria;
};

const checked = (criterion: Criterion, index: number): Criterion => {
  const builtIn = NAMED_CRITERIA.find(({ name }) => name === criterion.name);
  if (builtIn) {
    const { threshold, weight } = criterion;
    if (canonicalJson({ ...builtIn, threshold, weight }) !== canonicalJson(criterion)) {
      throw wrong(
        index,
        `"${criterion.name}" is built in: only its threshold and weight can be changed. Use another name for your own criterion.`,
      );
    }
  }
  const { min, max, step } = criterion.scale;
  if (!(min < max)) throw wrong(index, `The scale of "${criterion.name}" must go up: min is ${min}, max is ${max}.`);
  const { threshold } = criterion;
  if (threshold !== null && (threshold < min || threshold > max)) {
    throw wrong(index, `The threshold of "${criterion.name}" must be on its scale, ${min} to ${max}.`);
  }
  if (step !== null && (max - min) / step > MAX_STEPS) {
    throw wrong(index, `The scale of "${criterion.name}" has more than ${MAX_STEPS} steps. Choose a larger step.`);
  }
  return criterion;
};

/** Maximum number of steps on a scale: a judge chooses among all of its values. */
const MAX_STEPS = 100;

const wrong = (index: number, message: string): AppError =>
  new AppError("invalid_request", message, { param: `rubric.criteria.${index}` });

/** sha256 of the whole criterion: changing the threshold or the wording makes a different criterion. */
export const criterionHash = (criterion: Criterion): string => canonicalHash(criterion);

/** sha256 of all criteria, in order. */
export const rubricHash = (criteria: readonly Criterion[]): string => canonicalHash(criteria);

/** Whether a value passes its criterion; null without a threshold. */
export const passes = ({ direction, threshold }: Criterion, value: number): boolean | null => {
  if (threshold === null) return null;
  return direction === "higher_is_better" ? value >= threshold : value <= threshold;
};

type Scaled = Pick<Criterion, "scale">;

/** Number of steps offered on a continuous scale. Models grade coarsely, so finer steps would be noise. */
const CONTINUOUS_SCALE_STEPS = 4;
/** Maximum rounding error, as a fraction of a step. */
const TOLERANCE = 1e-9;

const widthOf = ({ scale: { min, max, step } }: Scaled): number => step ?? (max - min) / CONTINUOUS_SCALE_STEPS;

/** The choices on a scale, ascending from `min`. The last one may be below `max`. */
export const choicesOf = (criterion: Scaled): number[] => {
  const { min, max } = criterion.scale;
  const width = widthOf(criterion);
  const count = Math.floor((max - min) / width + TOLERANCE) + 1;
  return Array.from({ length: count }, (_, index) => {
    const value = min + index * width;
    return Math.abs(value) < width * TOLERANCE ? 0 : Number(value.toPrecision(12));
  });
};

/**
 * Returns the scale's own value without rounding error: 0.9 for 0.8999999999999999. Undefined if the value is not on
 * the scale. On a continuous scale, every value from min to max is valid.
 */
export const valueOn = (criterion: Scaled, value: number): number | undefined => {
  const { min, max, step } = criterion.scale;
  if (step === null) return value >= min && value <= max ? value : undefined;
  return choicesOf(criterion).find((choice) => Math.abs(choice - value) <= step * TOLERANCE);
};
