/* Reads numbers written with digits, including separators, exponents and fractions. */

/** A number written with digits. */
export interface Numeral {
  value: number;
  /** The value of the last written digit: 0.1 for "2.5", 100000 for "2.5e6"; 0 for a fraction, which is exact. */
  step: number;
  /** The value if a full stop separates thousands: 1234 for "1.234"; null if the number is unambiguous. */
  otherValue: number | null;
  /** Letters directly after the number: "km", "th", "s". */
  suffix: string;
  /** Whether the number is only digits, like a year. */
  isPlain: boolean;
}

const D = String.raw`\p{Nd}`;
const SUPERSCRIPT = `[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}`;
const POWER = String.raw`(?:\^[{(]?[-−+]?${D}{1,3}[)}]?|${SUPERSCRIPT})`;
const DECIMAL = `${D}{1,40}(?:[.,٫]${D}{1,40})?`;
/** Rejects what would make the number a version, a list or a longer number. */
const ENDS = String.raw`(?![\p{Nd}\p{M}]|[.,٫٬'’]${D})`;
/** Letters that may follow, such as a unit. */
const SUFFIX = String.raw`(?:(?!\p{Nd})[\p{sc=Latin}µμ]{1,4}(?![\p{L}\p{Nd}]))?`;
const VULGAR = "[¼½¾⅐-⅞]";

/** The source of a regular expression (with the flag `u`) for numbers that are more than a sequence of digits. */
export const NUMERAL = [
  // 1.5 × 10^6, 10⁶, 2^10
  String.raw`${DECIMAL}\s?[×x*·⋅]\s?10${POWER}${ENDS}`,
  `(?:10|2)${SUPERSCRIPT}`,
  String.raw`${D}{1,6}\^[{(]?[-−+]?${D}{1,3}[)}]?${ENDS}`,
  // 1e6
  String.raw`${DECIMAL}[eE][-−+]?${D}{1,3}(?!\p{L})${ENDS}`,
  // 1½
  String.raw`(?:${D}{1,6}\s?)?${VULGAR}`,
  // 1 1/2, 3/4; neither a date nor a score of years
  String.raw`(?:(?<![\p{L}\p{N}/.,:])${D}{1,3}[ \u00a0])?(?<![\p{L}\p{N}/.,:])${D}{1,3}[/⁄](?:10{3,6}|${D}{1,3})(?![\p{L}/⁄])${ENDS}`,
  // 1,234.5 and 12,34,567.8
  `${D}{1,3}(?:[,٬，]${D}{3})+(?:[.٫]${D}+)?${ENDS}${SUFFIX}`,
  String.raw`${D}{1,2}(?:,${D}{2})+,${D}{3}(?:\.${D}+)?${ENDS}${SUFFIX}`,
  // 1.234.567 and 1.234,5
  String.raw`${D}{1,3}(?:\.${D}{3})+,${D}+${ENDS}${SUFFIX}`,
  String.raw`${D}{1,3}(?:\.${D}{3}){2,}${ENDS}${SUFFIX}`,
  // 1 234 567,8 and 1'234'567.8
  String.raw`${D}{1,3}(?<gap>['’_ \u00a0\u2009\u202f])${D}{3}(?:\k<gap>${D}{3})*(?:[.,]${D}+)?${ENDS}(?!\k<gap>${D})${SUFFIX}`,
  // 3.14 and 3,14; "1,2,3" and "[1,2]" are lists, "5,1990" is the end of a date
  `(?<!${D}[.,٫])${D}+[.٫]${D}+${ENDS}${SUFFIX}`,
  String.raw`(?<![[{,]\s?|${D}[.,])(?!(?<=\()${D},${D}\))(?!(?:1[5-9]|20)\p{Nd}{2},)${D}+,(?!(?:1[5-9]|20)\p{Nd}{2}(?!\p{Nd}))(?:${D}{1,2}|${D}{4,})${ENDS}(?!\s?[\]}])${SUFFIX}`,
  // .5
  String.raw`(?<![\p{L}\p{N}.,!?;:)\]}"”’'])\.${D}+${ENDS}`,
  // The day of an ISO date with a time, and digits before Hangul
  `${D}{1,2}(?=[Tt]${D}{2}:?${D}{2})`,
  String.raw`${D}+(?=\p{sc=Hangul})`,
].join("|");

const FORMS = {
  scientific: new RegExp(
    String.raw`^(?<mantissa>${DECIMAL})(?:\s?[×x*·⋅]\s?10(?<power>${POWER})|[eE](?<exponent>[-−+]?${D}{1,3}))$`,
    "u",
  ),
  power: new RegExp(`^(?<base>${D}{1,6})(?<power>${POWER})$`, "u"),
  vulgar: new RegExp(String.raw`^(?:(?<whole>${D}+)\s?)?(?<part>${VULGAR})$`, "u"),
  fraction: new RegExp(String.raw`^(?:(?<whole>${D}+)\s)?(?<over>${D}+)[/⁄](?<under>${D}+)$`, "u"),
  digits: /^(?<digits>[\p{Nd}.,٫٬，'’_ \u00a0\u2009\u202f]*\p{Nd})(?<suffix>[\p{sc=Latin}µμ]{0,4})$/u,
};

/** The value of a digit in any script: how many digits precede it in Unicode, at most 9. */
const digitValue = (digit: string): number => {
  const code = digit.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value++;
  return value;
};

/** Replaces the digits of all scripts with ASCII digits. Offsets don't change. */
export const asciiDigits = (text: string): string =>
  text.replace(/[^\0-\x7f]/g, (sign) => (/\p{Nd}/u.test(sign) ? String(digitValue(sign)) : sign));

/**
 * Replaces the digits of all scripts, including superscripts, with ASCII digits, and a superscript or typographic minus
 * with "-".
 */
export const toAscii = (text: string): string =>
  text
    .normalize("NFKC")
    .replace(/(?![0-9])\p{Nd}/gu, (digit) => String(digitValue(digit)))
    .replaceAll("−", "-");

const exponentOf = (power: string): number => Number(toAscii(power).replace(/[\^{}()]/g, ""));

const fractionOf = (whole: string | undefined, over: string, under: string): Numeral | undefined => {
  const [top, bottom] = [Number(over), Number(under)];
  // "1 1/2" is one and a half, "3 5/4" are two numbers.
  if (bottom === 0 || (whole !== undefined && top >= bottom)) return undefined;
  return { value: Number(whole ?? 0) + top / bottom, step: 0, otherValue: null, suffix: "", isPlain: false };
};

/** Reads digits with separators. The last separator is the decimal mark if it occurs once or differs from the others. */
const separated = (written: string, suffix: string): Numeral => {
  const digits = toAscii(written).replaceAll("٫", ".").replaceAll("٬", ",");
  const marks = digits.replace(/\d/g, "");
  const last = marks.at(-1) ?? "";
  const at = digits.lastIndexOf(last);
  const behind = last === "" ? 0 : digits.length - at - 1;
  const isRepeated = marks.length > 1 && marks.at(-2) === last;
  const isPoint = (last === "." || last === ",") && !isRepeated;
  // "1,234" is grouped; "1.234" is a decimal in English; "0,123" and "1 234,567" are unambiguous.
  const isOpen = isPoint && marks.length === 1 && behind === 3 && at >= 1 && at <= 3 && !digits.startsWith("0");
  const isDecimal = isPoint && !(isOpen && last === ",");
  const whole = digits.replace(/\D/g, "");
  const decimal = `${digits.slice(0, at).replace(/\D/g, "")}.${digits.slice(at + 1)}`;
  return {
    value: Number(isDecimal ? decimal : whole),
    step: isDecimal ? 10 ** -behind : 1,
    otherValue: isOpen && isDecimal ? Number(whole) : null,
    suffix,
    isPlain: marks === "" && suffix === "",
  };
};

/** Reads a word that starts with a digit, a fraction or a decimal point; undefined for anything else ("3D-2b"). */
export const readNumeral = (word: string): Numeral | undefined => {
  const scientific = FORMS.scientific.exec(word)?.groups;
  if (scientific) {
    const mantissa = separated(scientific.mantissa ?? "", "");
    const scale = 10 ** exponentOf(scientific.power ?? scientific.exponent ?? "0");
    return {
      ...mantissa,
      value: Number((mantissa.value * scale).toPrecision(15)),
      step: mantissa.step * scale,
      otherValue: null,
      isPlain: false,
    };
  }
  const power = FORMS.power.exec(word)?.groups;
  if (power) {
    const value = Number(toAscii(power.base ?? "")) ** exponentOf(power.power ?? "");
    return { value: Number(value.toPrecision(15)), step: 0, otherValue: null, suffix: "", isPlain: false };
  }
  const vulgar = FORMS.vulgar.exec(word)?.groups;
  if (vulgar) {
    const [over = "", under = ""] = (vulgar.part ?? "").normalize("NFKC").split("⁄");
    const whole = vulgar.whole && toAscii(vulgar.whole);
    return fractionOf(whole, over, under);
  }
  const fraction = FORMS.fraction.exec(toAscii(word))?.groups;
  if (fraction) return fractionOf(fraction.whole, fraction.over ?? "", fraction.under ?? "");
  const plain = FORMS.digits.exec(word.replace(/['’](?=s$)/u, ""))?.groups;
  return plain?.digits ? separated(plain.digits, (plain.suffix ?? "").toLowerCase()) : undefined;
};
