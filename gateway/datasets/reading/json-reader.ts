import { JsonCursor } from "./json-cursor";
import { jsonRow } from "./json-row";
import { parseJson } from "./json-value";
import type { ReadingLimits } from "./limits";
import { placeIn } from "./line-counter";
import { invalid } from "./problems";
import type { RawRow } from "./rows";

/** Names under which an object holds the rows; what else it holds is passed over. */
const WRAPPERS: ReadonlySet<unknown> = new Set(["samples", "data"]);

/**
 * A JSON document: a list of objects, or an object that holds it as `samples` or `data`. Throws dataset_invalid with line
 * and character where the document breaks between the rows, payload_too_large at a row over the limit.
 */
export async function* readJson(texts: AsyncIterable<string>, limits: ReadingLimits): AsyncGenerator<RawRow> {
  const cursor = new JsonCursor(texts, limits);
  const first = await cursor.peek();
  if (first === "[") yield* readItems(cursor);
  else if (first === "{") yield* readWrapper(cursor);
  else throw cursor.expected('"[" or "{"');
  if ((await cursor.peek()) !== undefined) throw cursor.expected("the end of the file");
}

async function* readItems(cursor: JsonCursor): AsyncGenerator<RawRow> {
  await cursor.take("[");
  if ((await cursor.peek()) === "]") return await cursor.take("]");
  do {
    const { text, ...start } = await cursor.value();
    yield jsonRow(text, start);
  } while (await cursor.takeSeparator("]"));
}

async function* readWrapper(cursor: JsonCursor): AsyncGenerator<RawRow> {
  let isFound = false;
  await cursor.take("{");
  if ((await cursor.peek()) === "}") await cursor.take("}");
  else {
    do {
      const name = await readName(cursor);
      await cursor.take(":");
      const isList = (await cursor.peek()) === "[";
      if (!isFound && isList && WRAPPERS.has(name)) {
        isFound = true;
        yield* readItems(cursor);
      } else await cursor.value();
    } while (await cursor.takeSeparator("}"));
  }
  if (!isFound) throw invalid('The object holds no list "samples" or "data". Put the rows into one of them.');
}

const readName = async (cursor: JsonCursor): Promise<unknown> => {
  if ((await cursor.peek()) !== '"') throw cursor.expected("a name in double quotes");
  const { text, ...start } = await cursor.value();
  const { value, problem } = parseJson(text);
  if (problem) throw invalid(`${problem.message}.`, placeIn(text, problem.at, start));
  return value;
};
