/** Number rules whose values JSON.parse reads exactly (integers below 2^53) or at least as finite numbers. */
export const NUMBER_RULES: Record<string, string> = {
  "integer-from-zero": '"0" | [1-9] [0-9]{0,14}',
  integer: '"-"? integer-from-zero',
  "number-from-zero": 'integer-from-zero ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?',
  number: '"-"? number-from-zero',
  "number-to-one": '"0" ("." [0-9]{1,15})? | "1" ("." "0"{1,15})?',
};

const MAX_VALUES = 1000;

/** Every whole number from `minimum` to `maximum`, undefined when they are too many or the bounds are none. */
export const integerRange = (minimum: unknown, maximum: unknown): number[] | undefined => {
  if (typeof minimum !== "number" || typeof maximum !== "number") return undefined;
  const first = Math.ceil(minimum);
  const length = Math.floor(maximum) - first + 1;
  return length >= 1 && length <= MAX_VALUES ? Array.from({ length }, (_, offset) => first + offset) : undefined;
};
