/** `JSON.rawJSON` (ECMAScript proposal "JSON.parse source text access"), which TypeScript has no type for yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };

/**
 * A number with its digits from the file, used if JavaScript would print it differently: `1.50`, `1e5`, `12345678901234567890`.
 * `text` is a JSON number. Inside lists and objects, `JSON.stringify` writes it digit for digit.
 */
export class NumberText {
  constructor(readonly text: string) {}

  /** The number if a double represents it exactly; otherwise the text. */
  get value(): number | string {
    const number = Number(this.text);
    return Number.isFinite(number) && digitsOf(String(number)) === digitsOf(this.text) ? number : this.text;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): object {
    return rawJSON(this.text);
  }
}

/** The number in a canonical notation: `1.50`, `15e-1` and `+1.5` are `15e-1`. */
const digitsOf = (text: string): string => {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, "");
  let end = digits.length;
  while (digits[end - 1] === "0") end--;
  const significant = digits.slice(0, end);
  if (significant === "") return "0";
  const tens = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign === "-" ? "-" : ""}${significant}e${tens}`;
};
