import { AppError } from "../../../../lib/errors";
import { invalid, isOverBytes, MAX_DEPTH, type ReadingLimits, rowTooLong } from "../limits";
import type { BrokenRow, RawRow, Warn } from "../rows";
import { LineCounter, placeIn } from "../text";
import { findValueEnd, isJsonSpace, jsonRow, parseJson } from "./json-value";
import { TextWindow } from "./text-window";

/** Fields of an object that may contain the rows. Other fields are skipped. */
const ROW_LISTS: readonly unknown[] = ["samples", "data"];
const LIST_BEGINS = /"(?:samples|data)"\s*:\s*\[/;
const FIRST_NAME = /^\{\s*("(?:[^"\\]|\\.){0,200}")\s*:/;
/** Characters kept while searching for the start of a row, which may be split between two chunks. */
const OVERLAP = 512;

/**
 * Reads a JSON document: a list of objects, an object with the list as `samples` or `data`, or several objects. A row
 * with broken JSON is returned as a problem, and reading resumes at the next position that looks like the start of a
 * row. Throws dataset_invalid if the document has neither a list of objects nor consecutive objects, or does not start
 * like JSON.
 */
export const readJson = (texts: AsyncIterable<string>, limits: ReadingLimits, warn: Warn): AsyncGenerator<RawRow> =>
  new JsonReader(texts, limits, warn).rows();

interface JsonText {
  text: string;
  line: number;
  character: number;
}

/** Reads a document value by value as it arrives in chunks, and finds the next row after a broken one. */
class JsonReader {
  readonly #window: TextWindow;
  /** What a row starts with: the rows of a file share their first field name. */
  #beginning = /\{\s*"/;
  #isKnown = false;
  /** Whether a problem has reported that no row follows a broken one. */
  #isOver = false;
  #isInList = true;

  constructor(
    texts: AsyncIterable<string>,
    private readonly limits: ReadingLimits,
    private readonly warn: Warn,
  ) {
    this.#window = new TextWindow(texts, limits);
  }

  async *rows(): AsyncGenerator<RawRow> {
    const first = await this.#peek();
    if (first === "[") yield* this.#list();
    else if (first === "{") yield* this.#objects();
    else throw this.#expected('"[" or "{"');
    for (let next = await this.#peek(); next !== undefined; next = await this.#peek()) {
      if (next === "[") {
        this.#warn("another list starts here. Its rows were read too.");
        yield* this.#list();
      } else {
        yield* this.#orElse(() => Promise.reject(this.#expected("the end of the file")));
        yield* this.#rowsOfList();
      }
    }
  }

  async *#list(): AsyncGenerator<RawRow> {
    await this.#take("[");
    yield* this.#rowsOfList();
  }

  /** Rows up to the end of the list or the file. */
  async *#rowsOfList(): AsyncGenerator<RawRow> {
    for (;;) {
      const next = await this.#peek();
      if (this.#isOver || (next === undefined && !this.#isInList)) return;
      if (next === undefined) return yield* this.#orElse(() => Promise.reject(this.#expected('"]"')));
      if (next === "]") return await this.#take("]");
      if (next === ",") {
        this.#warn("there is an extra comma here. It was skipped.");
        await this.#take(",");
        continue;
      }
      yield* this.#orElse(() => this.#row());
      yield* this.#orElse(() => this.#passSeparator());
    }
  }

  /** An object with the list, or the first of several rows without a list. */
  async *#objects(): AsyncGenerator<RawRow> {
    // Undefined for an object that is larger than a row may be, or that does not end.
    const object = await this.#value().catch(() => undefined);
    if (object ? holdsList(object.text) : LIST_BEGINS.test(this.#window.text.slice(this.#window.at))) {
      if (object) this.#backTo(object);
      return yield* this.#wrapper();
    }
    if (object) {
      const next = await this.#peek();
      if (next !== "{" && next !== ",") {
        const { problem } = parseJson(object.text);
        throw problem ? invalid(`${problem.message}.`, placeIn(object.text, problem.at, object)) : noList();
      }
    }
    this.#isInList = false;
    if (object) {
      yield* this.#orElse(async () => this.#rowOf(object));
      yield* this.#orElse(() => this.#passSeparator());
    }
    yield* this.#rowsOfList();
  }

  async *#wrapper(): AsyncGenerator<RawRow> {
    await this.#take("{");
    if ((await this.#peek()) === "}") throw noList();
    do {
      const name = await this.#name();
      if (ROW_LISTS.includes(name) && (await this.#peek()) === "[") {
        yield* this.#list();
        if ((await this.#peek()) !== undefined) yield* this.#orElse(() => this.#passRest());
        return;
      }
      await this.#value();
    } while (await this.#takeSeparator("}"));
    throw noList();
  }

  /** Skips the fields after the rows. */
  async #passRest(): Promise<undefined> {
    while (await this.#takeSeparator("}")) {
      await this.#name();
      await this.#value();
    }
  }

  /** Skips the name of a field and its colon. */
  async #name(): Promise<unknown> {
    if ((await this.#peek()) !== '"') throw this.#expected("a name in double quotes");
    const { text, ...start } = await this.#value();
    const { value, problem } = parseJson(text);
    if (problem) throw invalid(`${problem.message}.`, placeIn(text, problem.at, start));
    await this.#take(":");
    return value;
  }

  /** Runs a step. If it fails, yields the problem as a row and searches for the next row. */
  async *#orElse(step: () => Promise<RawRow | undefined>): AsyncGenerator<RawRow> {
    try {
      const row = await step();
      if (row) yield row;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      yield brokenRow(error, this.#window.place.line);
      this.#isOver = !(await this.#seek());
    }
  }

  #rowOf(value: JsonText): RawRow {
    const row = jsonRow(value.text, value, this.warn);
    const [, name] = this.#isKnown || "problem" in row ? [] : (FIRST_NAME.exec(value.text) ?? []);
    if (name !== undefined) {
      this.#isKnown = true;
      this.#beginning = new RegExp(`\\{\\s*${RegExp.escape(name)}\\s*:`);
    }
    return row;
  }

  async #row(): Promise<RawRow> {
    const value = await this.#value();
    const row = this.#rowOf(value);
    if ("problem" in row && this.#isKnown && value.text.slice(1).search(this.#beginning) >= 0) {
      // A missing quote or bracket merged several rows into one value.
      this.#backTo(value);
      await this.#seek();
    }
    return row;
  }

  async #passSeparator(): Promise<undefined> {
    const next = await this.#peek();
    if (next === "{" && !this.#isInList) return;
    if (next === "{") return this.#warn("a comma is missing before this row. The row was still read.");
    if (next === undefined || next === "]") return;
    if (!(await this.#takeSeparator("]"))) return;
    if ((await this.#peek()) === "]") this.#warn("there is a comma after the last row. It was skipped.");
  }

  #warn(message: string): undefined {
    this.warn({ line: this.#window.place.line, column: null, message });
  }

  /** The next non-whitespace character; undefined at the end of the file. */
  async #peek(): Promise<string | undefined> {
    const window = this.#window;
    while (await window.fill()) {
      let end = window.at;
      while (isJsonSpace(window.text.charCodeAt(end))) end++;
      window.passTo(end);
      if (end < window.text.length) return window.text[end];
    }
    return undefined;
  }

  /** Skips one character, which must be the given one. */
  async #take(character: string): Promise<void> {
    if ((await this.#peek()) !== character) throw this.#expected(JSON.stringify(character));
    this.#window.passTo(this.#window.at + 1);
  }

  /** Skips a comma and returns true, or skips the end of a list or object and returns false. */
  async #takeSeparator(end: "]" | "}"): Promise<boolean> {
    const next = await this.#peek();
    if (next !== "," && next !== end) throw this.#expected(`"," or "${end}"`);
    await this.#take(next);
    return next === ",";
  }

  /** Skips a value without checking its syntax, and returns it with its position. Skips nothing if it throws. */
  async #value(): Promise<JsonText> {
    const next = await this.#peek();
    if (next === undefined || ",:]}".includes(next)) throw this.#expected("a value");
    const window = this.#window;
    const { line, character } = window.place;
    let found = findValueEnd(window.text, window.at);
    while (found.end === window.text.length && (await window.more())) found = findValueEnd(window.text, window.at);
    const { end, isTooDeep, isOpen } = found;
    const text = window.text.slice(window.at, end);
    if (isOverBytes(text, this.limits.maxRowBytes)) throw rowTooLong(this.limits, { line });
    if (isTooDeep) {
      const message = `lists and objects are more than ${MAX_DEPTH} levels deep here. Flatten them.`;
      throw invalid(message, placeIn(text, text.length, { line, character }));
    }
    if (isOpen) {
      throw invalid("the file ends inside the value that begins here. Is the file complete?", { line, character });
    }
    window.passTo(end);
    return { text, line, character };
  }

  /** Goes back to the start of the last skipped value. */
  #backTo({ text, line, character }: JsonText): void {
    this.#window.at -= text.length;
    this.#window.place = new LineCounter(line, character);
  }

  /** Skips at least one character, up to the start of the next row; false at the end of the file. */
  async #seek(): Promise<boolean> {
    const window = this.#window;
    for (let least = 1; await window.fill(); least = 0) {
      const from = Math.min(window.at + least, window.text.length);
      const found = window.text.slice(from).search(this.#beginning);
      if (found >= 0) {
        window.passTo(from + found);
        return true;
      }
      window.passTo(window.isEnd ? window.text.length : Math.max(from, window.text.length - OVERLAP));
    }
    return false;
  }

  /** The error for an unexpected next character. */
  #expected(what: string): AppError {
    const next = this.#window.text[this.#window.at];
    const found = next === undefined ? "the end of the file" : JSON.stringify(next);
    return invalid(`expected ${what}, found ${found}.`, this.#window.place);
  }
}

/** Converts an error to a broken row, which stores the line separately. */
const brokenRow = ({ message, detail }: AppError, line: number): BrokenRow => {
  const [found] = detail.details ?? [];
  const [, character] = /^[^:]*\bcharacter (\d+):/i.exec(message) ?? [];
  const problem = found?.message ?? message;
  return {
    line: found?.line ?? line,
    problem: { column: null, message: character === undefined ? problem : `character ${character}: ${problem}` },
  };
};

const holdsList = (text: string): boolean => {
  const { value, problem } = parseJson(text);
  if (problem) return LIST_BEGINS.test(text);
  return Object.entries(value ?? {}).some(([name, list]) => ROW_LISTS.includes(name) && Array.isArray(list));
};

const noList = (): AppError => invalid('the object has no list "samples" or "data". Put the rows into one of them.');
