import { AppError } from "../../../../lib/errors";
import { invalid, type ReadingLimits } from "../limits";
import type { BrokenRow, RawRow, Warn } from "../rows";
import { placeIn } from "../text";
import { JsonCursor, type JsonText } from "./json-cursor";
import { jsonRow, parseJson } from "./json-value";

/** Names of the list of rows in an object; other fields are skipped. */
const ROW_LISTS: readonly unknown[] = ["samples", "data"];
const LIST_BEGINS = /"(?:samples|data)"\s*:\s*\[/;

/**
 * Reads a JSON document: a list of objects, an object with the list as `samples` or `data`, or several objects. A row with
 * broken JSON is returned as a problem, and reading resumes at the next position that looks like the start of a row. Throws
 * dataset_invalid if the document holds no list of objects and no objects in a row, or does not start as JSON.
 */
export async function* readJson(
  texts: AsyncIterable<string>,
  limits: ReadingLimits,
  warn: Warn,
): AsyncGenerator<RawRow> {
  const cursor = new JsonCursor(texts, limits);
  const rows = new RowList(cursor, warn);
  const first = await cursor.peek();
  if (first === "[") yield* rows.read();
  else if (first === "{") yield* readObjects(cursor, rows);
  else throw cursor.expected('"[" or "{"');
  for (let next = await cursor.peek(); next !== undefined; next = await cursor.peek()) {
    if (next === "[") yield* rows.readAnother();
    else {
      yield* rows.orElse(() => Promise.reject(cursor.expected("the end of the file")));
      yield* rows.readOpen();
    }
  }
}

const FIRST_NAME = /^\{\s*("(?:[^"\\]|\\.){0,200}")\s*:/;

/** Reads the rows of a list, and finds the next row after a broken one. */
class RowList {
  /** How a row starts: the rows of a file share their first field name. */
  #beginning = /\{\s*"/;
  #isKnown = false;
  /** No row was found after a broken one, and this has been reported. */
  #isOver = false;
  #isInList = true;

  constructor(
    private readonly cursor: JsonCursor,
    private readonly warn: Warn,
  ) {}

  async *read(): AsyncGenerator<RawRow> {
    await this.cursor.take("[");
    yield* this.readOpen();
  }

  /** Reads another list after the first one, as in concatenated files. */
  async *readAnother(): AsyncGenerator<RawRow> {
    this.#warn("another list starts here. Its rows were read too.");
    yield* this.read();
  }

  /** Rows that are in no list; `first` has been passed. */
  async *readFrom(first?: JsonText): AsyncGenerator<RawRow> {
    this.#isInList = false;
    if (first) {
      yield* this.orElse(async () => this.#rowOf(first));
      yield* this.orElse(() => this.#passSeparator());
    }
    yield* this.readOpen();
  }

  /** Rows up to the end of the list or the file. */
  async *readOpen(): AsyncGenerator<RawRow> {
    const { cursor } = this;
    for (;;) {
      const next = await cursor.peek();
      if (this.#isOver || (next === undefined && !this.#isInList)) return;
      if (next === undefined) return yield* this.orElse(() => Promise.reject(cursor.expected('"]"')));
      if (next === "]") return await cursor.take("]");
      if (next === ",") {
        this.#warn("there is an extra comma here. It was skipped.");
        await cursor.take(",");
        continue;
      }
      yield* this.orElse(() => this.#readRow());
      yield* this.orElse(() => this.#passSeparator());
    }
  }

  /** Runs a step; if it fails, yields the problem as a row and searches for the next row. */
  async *orElse(step: () => Promise<RawRow | undefined>): AsyncGenerator<RawRow> {
    try {
      const row = await step();
      if (row) yield row;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      yield brokenRow(error, this.cursor.line);
      this.#isOver = !(await this.cursor.seek(this.#beginning));
    }
  }

  #rowOf(value: JsonText): RawRow {
    const row = jsonRow(value.text, value);
    if (!("problem" in row)) this.#learn(value.text);
    return row;
  }

  async #readRow(): Promise<RawRow> {
    const { cursor } = this;
    const value = await cursor.value();
    const row = this.#rowOf(value);
    if (!("problem" in row)) return row;
    if (value.text.slice(1).search(this.#beginning) >= 0 && this.#isKnown) {
      // A quote or bracket that is missing has made one value of several rows.
      cursor.backTo(value);
      await cursor.seek(this.#beginning);
    }
    return row;
  }

  async #passSeparator(): Promise<undefined> {
    const { cursor } = this;
    const next = await cursor.peek();
    if (next === "{" && !this.#isInList) return;
    if (next === "{") return this.#warn("a comma is missing before this row. The row was still read.");
    if (next === undefined || next === "]") return;
    if (!(await cursor.takeSeparator("]"))) return;
    if ((await cursor.peek()) === "]") this.#warn("there is a comma after the last row. It was skipped.");
  }

  #learn(row: string): void {
    const [, name] = this.#isKnown ? [] : (FIRST_NAME.exec(row) ?? []);
    if (name === undefined) return;
    this.#isKnown = true;
    this.#beginning = new RegExp(`\\{\\s*${RegExp.escape(name)}\\s*:`);
  }

  #warn(message: string): undefined {
    this.warn({ line: this.cursor.line, column: null, message });
  }
}

/** Converts an error of the document to a broken row, which has the line separately. */
const brokenRow = ({ message, detail }: AppError, line: number): BrokenRow => {
  const [found] = detail.details ?? [];
  const [, character] = /^[^:]*\bcharacter (\d+):/i.exec(message) ?? [];
  const problem = found?.message ?? message;
  return {
    line: found?.line ?? line,
    problem: { column: null, message: character === undefined ? problem : `character ${character}: ${problem}` },
  };
};

/** An object with the list, or the first of several rows without a list. */
async function* readObjects(cursor: JsonCursor, rows: RowList): AsyncGenerator<RawRow> {
  // Undefined for an object that is larger than a row may be, or does not end.
  const object = await cursor.value().catch(() => undefined);
  if (object ? holdsList(object.text) : cursor.hasNear(LIST_BEGINS)) {
    if (object) cursor.backTo(object);
    return yield* readWrapper(cursor, rows);
  }
  if (!object) return yield* rows.readFrom();
  const next = await cursor.peek();
  if (next === "{" || next === ",") return yield* rows.readFrom(object);
  const { problem } = parseJson(object.text);
  throw problem ? invalid(`${problem.message}.`, placeIn(object.text, problem.at, object)) : noList();
}

const holdsList = (text: string): boolean => {
  const { value, problem } = parseJson(text);
  if (problem) return LIST_BEGINS.test(text);
  return Object.entries(value ?? {}).some(([name, list]) => ROW_LISTS.includes(name) && Array.isArray(list));
};

async function* readWrapper(cursor: JsonCursor, rows: RowList): AsyncGenerator<RawRow> {
  await cursor.take("{");
  if ((await cursor.peek()) === "}") throw noList();
  do {
    const name = await readName(cursor);
    await cursor.take(":");
    if (ROW_LISTS.includes(name) && (await cursor.peek()) === "[") {
      yield* rows.read();
      if ((await cursor.peek()) !== undefined) yield* rows.orElse(() => passRest(cursor));
      return;
    }
    await cursor.value();
  } while (await cursor.takeSeparator("}"));
  throw noList();
}

const noList = (): AppError => invalid('the object holds no list "samples" or "data". Put the rows into one of them.');

/** Skips the fields after the rows. */
const passRest = async (cursor: JsonCursor): Promise<undefined> => {
  while (await cursor.takeSeparator("}")) {
    await readName(cursor);
    await cursor.take(":");
    await cursor.value();
  }
};

const readName = async (cursor: JsonCursor): Promise<unknown> => {
  if ((await cursor.peek()) !== '"') throw cursor.expected("a name in double quotes");
  const { text, ...start } = await cursor.value();
  const { value, problem } = parseJson(text);
  if (problem) throw invalid(`${problem.message}.`, placeIn(text, problem.at, start));
  return value;
};
