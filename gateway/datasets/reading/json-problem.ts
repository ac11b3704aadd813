import { FORBIDDEN_NAMES, MAX_DEPTH } from "./limits";

export interface JsonProblem {
  /** Position in the text, from 0. */
  at: number;
  message: string;
}

/**
 * The first thing in a text that makes it no JSON of ours: broken syntax, more than 100 levels, a name that no data may
 * carry. It is slower than JSON.parse, which tells no position, and runs only when a row has failed.
 */
export const findJsonProblem = (text: string): JsonProblem | undefined => new Scanner(text).scan();

export const forbiddenName = (name: string): string => `the name "${name}" is not allowed: rename it`;

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|NaN|-?Infinity/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y;

/** Each step passes what it is named after and says whether all was well; the first problem ends them all. */
class Scanner {
  #at = 0;
  #depth = 0;
  #problem: JsonProblem | undefined;

  constructor(private readonly text: string) {}

  scan(): JsonProblem | undefined {
    if (this.#value() && this.#at < this.text.length) this.#fail("there is more after the end of the value");
    return this.#problem;
  }

  #value(): boolean {
    this.#match(SPACE);
    const isFine = this.#bareValue();
    this.#match(SPACE);
    return isFine;
  }

  #bareValue(): boolean {
    const next = this.text[this.#at];
    if (next === "{") return this.#list("}", () => this.#member());
    if (next === "[") return this.#list("]", () => this.#value());
    if (next === '"') return this.#string();
    return this.#match(SCALAR) !== "" || this.#expected("a value");
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

  #member(): boolean {
    this.#match(SPACE);
    const start = this.#at;
    if (this.text[start] !== '"') return this.#expected("a name in double quotes");
    if (!this.#string()) return false;
    const name: unknown = JSON.parse(this.text.slice(start, this.#at));
    if (typeof name === "string" && FORBIDDEN_NAMES.has(name)) return this.#fail(forbiddenName(name), start);
    this.#match(SPACE);
    return this.#takes(":") ? this.#value() : this.#expected('":"');
  }

  #string(): boolean {
    const start = this.#at++;
    while (this.#at < this.text.length) {
      const character = this.text.charAt(this.#at);
      if (character === "\\") {
        if (this.#match(ESCAPE) === "") return this.#fail("a backslash here is no escape of JSON");
        continue;
      }
      if (character < " ") return this.#fail("a control character stands in a string: write it as an escape");
      this.#at++;
      if (character === '"') return true;
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
