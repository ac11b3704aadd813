import { ByteWriter, ParquetWriter, type SchemaElement } from "hyparquet-writer";
import type { Column, ColumnKind, TableRow } from "./columns";

/** A row group is encoded in one step, so it must be small enough not to delay other requests noticeably. */
const GROUP_ROWS = 2000;
const GROUP_CHARACTERS = 1_048_576;

const optional = { repetition_type: "OPTIONAL" } as const;
const utf8 = { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } } as const;

const TYPES: Readonly<Record<Exclude<ColumnKind, "list">, Partial<SchemaElement>>> = {
  text: utf8,
  integer: { type: "INT32" },
  number: { type: "DOUBLE" },
  boolean: { type: "BOOLEAN" },
  time: { type: "INT64", converted_type: "TIMESTAMP_MILLIS" },
  json: { type: "BYTE_ARRAY", converted_type: "JSON", logical_type: { type: "JSON" } },
};

/** A list has the three levels that the format's specification recommends. */
const elementsOf = ({ name, kind }: Column): SchemaElement[] =>
  kind === "list"
    ? [
        { name, ...optional, num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        { name: "element", ...optional, ...utf8 },
      ]
    : [{ name, ...optional, ...TYPES[kind] }];

/** Writes rows as Parquet, a row group at a time. The file is compressed with Snappy. */
export async function* writeParquet(
  columns: readonly Column[],
  rows: AsyncIterable<TableRow>,
  facts: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  const bytes = new ByteWriter();
  const file = new ParquetWriter({
    writer: bytes,
    schema: [{ name: "results", num_children: columns.length }, ...columns.flatMap(elementsOf)],
    kvMetadata: Object.entries(facts).map(([key, value]) => ({ key, value })),
    createdBy: "groundwire",
  });
  /** The bytes written since the last call. */
  const take = (): Uint8Array => {
    const piece = bytes.getBytes().slice();
    bytes.index = 0;
    return piece;
  };
  let values: unknown[][] = columns.map(() => []);
  let [count, characters] = [0, 0];
  const write = (): Uint8Array => {
    file.write({ columnData: columns.map(({ name }, n) => ({ name, data: values[n] ?? [] })), rowGroupSize: count });
    values = columns.map(() => []);
    [count, characters] = [0, 0];
    return take();
  };
  for await (const row of rows) {
    for (const [n, { kind, of }] of columns.entries()) {
      const value = toValue(of(row), kind);
      values[n]?.push(value);
      if (typeof value === "string") characters += value.length;
      else if (Array.isArray(value)) for (const text of value) characters += text.length;
    }
    count++;
    if (count >= GROUP_ROWS || characters >= GROUP_CHARACTERS) yield write();
  }
  if (count > 0) yield write();
  file.finish();
  yield take();
}

/** UTF-8 can't encode half a surrogate pair. */
const toValue = (value: unknown, kind: ColumnKind): unknown => {
  if (value === null || value === undefined) return undefined;
  if (kind === "text") return (typeof value === "string" ? value : JSON.stringify(value)).toWellFormed();
  if (kind === "list") return (value as string[]).map((text) => text.toWellFormed());
  return value;
};
