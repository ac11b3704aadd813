/** Rules for unbounded numbers. JSON.parse reads the integers exactly (below 2^53) and the numbers as finite values. */
export const NUMBER_RULES: Record<string, string> = {
  integer: '"-"? ("0" | [1-9] [0-9]{0,14})',
  number: 'integer ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?',
};

export const BOUND_KEYWORDS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] as const;
/** JSON Schema's bounds for a number. Each bound is optional. */
export type NumberBounds = Partial<Record<(typeof BOUND_KEYWORDS)[number], number>>;

/** Maximum integer in an answer, because not every JSON parser represents larger ones exactly. */
const MAX_INTEGER = BigInt(Number.MAX_SAFE_INTEGER);
/** Number of decimal digits that a double always preserves. */
const EXACT_DIGITS = 15;

/**
 * GBNF for exactly the whole numbers within the bounds and ±(2^53 - 1), without leading zeros, "-0", fractions or
 * exponents. undefined if there are none.
 */
export const integerGrammar = (bounds: NumberBounds): string | undefined => grammarWithin(bounds, 0);

/**
 * GBNF for exactly the numbers within the bounds, without exponents. undefined if there are none. Decimals are limited
 * so that 15 digits stay exact: 15 minus the larger bound's digits before the point (14 for 0…1, 9 for 0…100000).
 */
export const numberGrammar = (bounds: NumberBounds): string | undefined => {
  const given = Object.values(bounds).filter(
    (value) => Number.isFinite(value) && Math.abs(value) <= Number(MAX_INTEGER),
  );
  const digits = Math.max(0, ...given.map((value) => wholePart(Math.abs(value)).replace(/^0$/, "").length));
  return grammarWithin(bounds, Math.max(0, EXACT_DIGITS - digits));
};

/** Formats a finite number without an exponent: 1e-7 is "0.0000001". */
const inDigits = (value: number): string =>
  value.toLocaleString("en-US", { useGrouping: false, maximumSignificantDigits: 21 });

const wholePart = (value: number): string => inDigits(value).split(".")[0] ?? "0";

/** value · 10^decimals, rounded up (`direction` 1) or down (-1); `isExclusive` excludes the value itself. */
const scaled = (value: number, decimals: number, direction: 1 | -1, isExclusive: boolean): bigint => {
  const [whole = "0", part = ""] = inDigits(value).split(".");
  const kept = BigInt(whole.replace("-", "") + part.slice(0, decimals).padEnd(decimals, "0"));
  const isExact = /^0*$/.test(part.slice(decimals));
  const towardsZero = value < 0 ? -kept : kept;
  if (isExact) return isExclusive ? towardsZero + BigInt(direction) : towardsZero;
  const isRounded = (direction === 1) === value > 0;
  return isRounded ? towardsZero + BigInt(direction) : towardsZero;
};

const grammarWithin = (bounds: NumberBounds, decimals: number): string | undefined => {
  const limit = (MAX_INTEGER + 1n) * 10n ** BigInt(decimals) - 1n;
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = bounds;
  const bound = (value: number | undefined, direction: 1 | -1, isExclusive: boolean): bigint[] =>
    value === undefined ? [] : [scaled(value, decimals, direction, isExclusive)];
  const lows = [-limit, ...bound(minimum, 1, false), ...bound(exclusiveMinimum, 1, true)];
  const highs = [limit, ...bound(maximum, -1, false), ...bound(exclusiveMaximum, -1, true)];
  const low = lows.reduce((a, b) => (a > b ? a : b));
  const high = highs.reduce((a, b) => (a < b ? a : b));
  if (low > high) return undefined;
  const parts: string[] = [];
  if (low < 0n) parts.push(`"-" ${fixedPoint(high < 0n ? -high : 1n, -low, decimals)}`);
  if (high >= 0n) parts.push(fixedPoint(low > 0n ? low : 0n, high, decimals));
  return either(parts);
};

const either = (parts: readonly string[]): string => (parts.length === 1 ? (parts[0] ?? "") : `(${parts.join(" | ")})`);

const ZERO = "0";
const NINE = "9";
const isAll = (digits: string, digit: string): boolean => digits === digit.repeat(digits.length);
const charClass = (from: number, to: number): string => (from === to ? `"${from}"` : `[${from}-${to}]`);

/** Numbers from `low` to `high`, both ≥ 0 and in units of the last decimal place, grouped by number of digits. */
const fixedPoint = (low: bigint, high: bigint, decimals: number): string => {
  const [from, to] = [low, high].map((value) => value.toString().padStart(decimals + 1, ZERO)) as [string, string];
  const [shortest, longest] = [from.length - decimals, to.length - decimals];
  if (shortest === longest) return sameLength(from, to, shortest);
  const parts = [sameLength(from, NINE.repeat(from.length), shortest)];
  if (longest - shortest > 1) parts.push(`[1-9] [0-9]{${shortest},${longest - 2}} ${anyFraction(decimals)}`.trim());
  parts.push(sameLength(`1${ZERO.repeat(to.length - 1)}`, to, longest));
  return either(parts);
};

/** Digits from `low` to `high`, strings of the same length; the first `whole` digits come before the point. */
const sameLength = (low: string, high: string, whole: number): string => {
  if (whole === 0) return fraction(low, high);
  if (isAll(low, ZERO) && isAll(high, NINE)) return `[0-9]{${whole}} ${anyFraction(low.length - whole)}`.trim();
  return byFirstDigit(low, high, (from, to) => sameLength(from, to, whole - 1));
};

const anyFraction = (decimals: number): string => fraction(ZERO.repeat(decimals), NINE.repeat(decimals));

/** "." and the decimals from `low` to `high`, strings of the same length. Shorter ones count as padded with zeros. */
const fraction = (low: string, high: string): string => {
  if (low === "") return "";
  const digits = decimalsWithin(low, high);
  return isAll(low, ZERO) ? `("." ${digits})?` : `"." ${digits}`;
};

const decimalsWithin = (low: string, high: string): string => {
  const count = low.length;
  if (isAll(low, ZERO) && (isAll(high, NINE) || isAll(high, ZERO))) return `[0-${high[0] ?? ""}]{1,${count}}`;
  return byFirstDigit(low, high, (from, to) => {
    if (from === "") return "";
    return isAll(from, ZERO) ? `(${decimalsWithin(from, to)})?` : decimalsWithin(from, to);
  });
};

/** Alternatives by first digit: at the lower bound, between the bounds, at the upper bound, each with its `rest`. */
const byFirstDigit = (low: string, high: string, rest: (low: string, high: string) => string): string => {
  const [first, last] = [Number(low[0]), Number(high[0])];
  const [lowRest, highRest] = [low.slice(1), high.slice(1)];
  if (first === last) return `"${first}" ${rest(lowRest, highRest)}`.trim();
  const [zeros, nines] = [ZERO.repeat(lowRest.length), NINE.repeat(lowRest.length)];
  const isLowOpen = isAll(lowRest, ZERO);
  const isHighOpen = isAll(highRest, NINE);
  const [from, to] = [isLowOpen ? first : first + 1, isHighOpen ? last : last - 1];
  return either([
    ...(isLowOpen ? [] : [`"${first}" ${rest(lowRest, nines)}`.trim()]),
    ...(from <= to ? [`${charClass(from, to)} ${rest(zeros, nines)}`.trim()] : []),
    ...(isHighOpen ? [] : [`"${last}" ${rest(zeros, highRest)}`.trim()]),
  ]);
};
