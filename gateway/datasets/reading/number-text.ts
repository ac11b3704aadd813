/** `JSON.rawJSON` of ECMAScript's JSON.parse source text access, which TypeScript does not know yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };

/**
 * A number with the digits of its file, where JavaScript would print other ones: `1.50`, `1e5`, `12345678901234567890`.
 * `text` is a number of JSON. Inside lists and objects, `JSON.stringify` writes it digit for digit.
 */
export class NumberText {
  constructor(readonly text: string) {}

  /** The number, where a double is exactly it; otherwise the text. */
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

/** The number without its notation: `1.50`, `15e-1` and `+1.5` are `15e-1`. */
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
