import { FORBIDDEN_NAMES, forbiddenName, MAX_DEPTH } from "../limits";
import type { RawRow, Warn } from "../rows";
import { placeIn } from "../text";

/** `value` is undefined if there is a problem. */
interface ParsedJson {
  value?: unknown;
  problem?: JsonProblem;
}

/**
 * Parses JSON with at most 100 levels and without names that are special in JavaScript; otherwise returns the problem.
 * A number that JavaScript would print differently becomes a `NumberText`; `NaN` and `Infinity` become text.
 */
export const parseJson = (text: string): ParsedJson => {
  const parsed = tryParse(text) ?? (NOT_FINITE.test(text) ? tryParse(quoteNotFinite(text)) : undefined);
  if (parsed && isHarmless(parsed.value, MAX_DEPTH)) return parsed;
  return { problem: findJsonProblem(text) ?? { at: 0, message: "this is not JSON" } };
};

const tryParse = (text: string): { value: unknown } | undefined => {
  try {
    return { value: parseExact(text) };
  } catch {
    return undefined;
  }
};

/** Not valid JSON, but written by Python and JavaScript libraries. */
const NOT_FINITE = /NaN|Infinity/;
const STRING_OR_NOT_FINITE = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|$)|(?<!-)\bNaN\b|-?\bInfinity\b/gs;

/** Quotes `NaN` and infinities, which become text as in Parquet files. */
const quoteNotFinite = (text: string): string =>
  text.replace(STRING_OR_NOT_FINITE, (found) => (found.startsWith('"') ? found : `"${found}"`));

/**
 * Matches numbers whose digits a double may lose or print differently: 16 or more digits, trailing zeros of a fraction,
 * leading zeros of a small number, an exponent, -0. A match inside a string only costs time.
 */
const MAY_LOSE_DIGITS = /\d{16}|[\d.]{17}|\.\d*0(?!\d)|0\.0{6}|\d[eE][+-]?\d|-0(?![.\d])/;

/** Like `JSON.parse`, but keeps the digits of numbers. Throws SyntaxError. */
export const parseExact = (text: string): unknown =>
  MAY_LOSE_DIGITS.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);

/** `source` is a primitive value as written in the file. */
const keepDigits = (_name: string, value: unknown, { source }: { source?: string } = {}): unknown =>
  typeof value === "number" && source !== undefined && source !== String(value) ? new NumberText(source) : value;

const isHarmless = (value: unknown, levels: number): boolean => {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isHarmless(item, levels - 1));
  return Object.entries(value).every(([name, inner]) => !FORBIDDEN_NAMES.has(name) && isHarmless(inner, levels - 1));
};

/** Parses a row that starts at `line` and `character` of the file. It must be an object. Warns about repeated names. */
export const jsonRow = (text: string, start: { line: number; character: number }, warn: Warn): RawRow => {
  const { value, problem } = parseJson(text);
  if (problem) {
    const { line, character } = placeIn(text, problem.at, start);
    return { line, problem: { column: null, message: `character ${character}: ${problem.message}.` } };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof NumberText) {
    const found = Array.isArray(value)
      ? "a list"
      : typeof value === "string"
        ? JSON.stringify(value.slice(0, 60))
        : String(value);
    return { line: start.line, problem: { column: null, message: `a row must be an object, not ${found}.` } };
  }
  for (const [name, at] of findRepeatedNames(text, value)) {
    const message = `the name "${name.toWellFormed()}" is repeated in the same object. Only its last value is kept: rename the others.`;
    warn({ line: placeIn(text, at, start).line, column: null, message });
  }
  return { line: start.line, columns: Object.keys(value), values: Object.values(value) };
};

/** The end of a name. Values can contain it too, so a text has at least as many of them as names. */
const NAME_END = /"\s*:/g;

/** Names that `JSON.parse` found more than once in an object, by their position. Few rows have to be scanned for it. */
const findRepeatedNames = (text: string, value: unknown): ReadonlyMap<string, number> =>
  (text.match(NAME_END)?.length ?? 0) > countNames(value) ? new Scanner(text).findRepeated() : new Map();

const countNames = (value: unknown): number => {
  if (typeof value !== "object" || value === null || value instanceof NumberText) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((count, inner) => count + countNames(inner), own);
};

/** `JSON.rawJSON` (ECMAScript proposal "JSON.parse source text access"), which TypeScript has no type for yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): object };

/**
 * A number with its digits from the file, used if JavaScript would print it differently: `1.50`, `1e5`,
 * `12345678901234567890`. `text` is a JSON number. Inside lists and objects, `JSON.stringify` writes it digit for
 * digit.
 */
export class NumberText {
  constructor(readonly text: string) {}

  /** The number, if a double represents it exactly; otherwise the text. */
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

/** The number in canonical notation: `1.50`, `15e-1` and `+1.5` are `15e-1`. */
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

interface JsonProblem {
  /** Offset in the text, from 0. */
  at: number;
  message: string;
}

/**
 * Finds the first problem in a JSON text: invalid syntax, more than 100 levels, or a forbidden name. It only runs for
 * rows that failed: it is slower than JSON.parse, which doesn't say where the problem is.
 */
export const findJsonProblem = (text: string): JsonProblem | undefined => new Scanner(text).scan();

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|NaN|-?Infinity/y;
/** Characters that a string can contain unescaped. */
const PLAIN = /[ !#-[\]-\uffff]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;

/**
 * Each method skips the element it is named after and returns whether that was valid. The first problem ends the scan.
 */
class Scanner {
  #at = 0;
  #depth = 0;
  #problem: JsonProblem | undefined;
  readonly #repeated = new Map<string, number>();

  constructor(private readonly text: string) {}

  scan(): JsonProblem | undefined {
    if (this.#value() && this.#at < this.text.length) this.#fail("there is more text after the end of the value");
    return this.#problem;
  }

  findRepeated(): ReadonlyMap<string, number> {
    this.#value();
    return this.#repeated;
  }

  #value(): boolean {
    this.#match(SPACE);
    const isFine = this.#bareValue();
    this.#match(SPACE);
    return isFine;
  }

  #bareValue(): boolean {
    const next = this.text[this.#at];
    if (next === "{") return this.#object();
    if (next === "[") return this.#list("]", () => this.#value());
    if (next === '"') return this.#string();
    return this.#match(SCALAR) !== "" || this.#expected("a value");
  }

  #object(): boolean {
    const names = new Set<string>();
    return this.#list("}", () => this.#member(names));
  }

  #list(end: string, item: () => boolean): boolean {
    this.#depth++;
    if (this.#depth > MAX_DEPTH) return this.#fail(`lists and objects are more than ${MAX_DEPTH} levels deep`);
    this.#at++;
    this.#match(SPACE);
    if (!this.#takes(end)) {
      do {
        if (!item()) return false;
      } while (this.#takes(","));
      if (!this.#takes(end)) return this.#expected(`"," or "${end}"`);
    }
    this.#depth--;
    return true;
  }

  #member(names: Set<string>): boolean {
    this.#match(SPACE);
    const start = this.#at;
    if (this.text[start] !== '"') return this.#expected("a name in double quotes");
    if (!this.#string()) return false;
    const name = String(JSON.parse(this.text.slice(start, this.#at)));
    if (FORBIDDEN_NAMES.has(name)) return this.#fail(forbiddenName(name), start);
    if (names.has(name) && !this.#repeated.has(name)) this.#repeated.set(name, start);
    names.add(name);
    this.#match(SPACE);
    return this.#takes(":") ? this.#value() : this.#expected('":"');
  }

  #string(): boolean {
    const start = this.#at++;
    for (this.#match(PLAIN); this.#at < this.text.length; this.#match(PLAIN)) {
      if (this.#takes('"')) return true;
      if (this.text[this.#at] !== "\\") {
        return this.#fail("a string contains a control character: write it as an escape");
      }
      if (this.#match(ESCAPE) === "") return this.#fail("a backslash here does not start a valid JSON escape");
    }
    return this.#fail("a string begins here and never ends", start);
  }

  #takes(character: string): boolean {
    if (this.text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const [found = ""] = pattern.exec(this.text) ?? [];
    this.#at += found.length;
    return found;
  }

  #expected(what: string): false {
    const found = this.#at < this.text.length ? JSON.stringify(this.text[this.#at]) : "the end";
    return this.#fail(`expected ${what}, found ${found}`);
  }

  #fail(message: string, at = this.#at): false {
    this.#problem ??= { at, message };
    return false;
  }
}

const QUOTE = 34;
const COMMA = 44;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** Whether a character is JSON whitespace or a byte order mark, which can occur in the middle of concatenated files. */
export const isJsonSpace = (code: number): boolean =>
  code === 32 || code === 10 || code === 13 || code === 9 || code === 0xfeff;

interface ValueEnd {
  /** The offset after the value, or where the search stopped. */
  end: number;
  /** The value is nested more than 100 levels deep. */
  isTooDeep?: boolean;
  /** The text ends inside the value, or after a number or word that may continue. */
  isOpen?: boolean;
}

/** Finds the end of the JSON value at `from`. It only counts brackets and quotes. */
export const findValueEnd = (text: string, from: number): ValueEnd => {
  let depth = 0;
  let isInString = false;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isInString) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) {
        isInString = false;
        if (depth === 0) return { end: at + 1 };
      }
    } else if (code === QUOTE) isInString = true;
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      depth++;
      if (depth > MAX_DEPTH) return { end: at, isTooDeep: true };
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) {
      if (depth === 0) return { end: at };
      depth--;
      if (depth === 0) return { end: at + 1 };
    } else if (depth === 0 && (code === COMMA || isJsonSpace(code))) return { end: at };
  }
  return { end: text.length, isOpen: depth > 0 || isInString };
};
