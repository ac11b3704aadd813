import type { Client, InStatement, InValue, Transaction } from "@libsql/client";

/** Maximum rows read at a time and written in one transaction. */
const PAGE_ROWS = 500;
/** Approximate size of a page in bytes. Rows may contain pieces of files. */
const PAGE_BYTES = 4_194_304;
/** Rows on a table's first page, when the row size is still unknown. */
const FIRST_ROWS = 8;

interface SchemaEntry {
  kind: string;
  name: string;
  sql: string;
}

type Source = Pick<Transaction, "execute">;

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Lists everything that our migrations created, tables first. */
export const listSchema = async (source: Source): Promise<SchemaEntry[]> => {
  const { rows } = await source.execute(
    `SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
       AND name NOT LIKE 'libsql~_%' ESCAPE '~' AND name NOT LIKE '~_litestream~_%' ESCAPE '~' ORDER BY type <> 'table', rowid`,
  );
  return rows.map(({ type, name, sql }) => ({ kind: String(type), name: String(name), sql: String(sql) }));
};

export const countRows = async (source: Source, table: string): Promise<number> => {
  const { rows } = await source.execute(`SELECT COUNT(*) AS rows FROM ${quoted(table)}`);
  return Number(rows[0]?.rows);
};

/** Copies schema and rows into an empty database. Foreign keys are satisfied only after the last table. */
export const copyAll = async (source: Source, target: Client): Promise<void> => {
  const schema = await listSchema(source);
  const tables = schema.filter(({ kind }) => kind === "table");
  await target.migrate(tables.map(({ sql }) => sql));
  for (const { name } of tables) await copyRows(source, target, name);
  // Copies the AUTOINCREMENT counters, so that ids are not reused.
  if (tables.some(({ sql }) => /\bAUTOINCREMENT\b/i.test(sql))) {
    await target.execute("DELETE FROM sqlite_sequence");
    await copyRows(source, target, "sqlite_sequence");
  }
  // Indexes are created after the rows, because filling them once is faster.
  await target.migrate(schema.filter(({ kind }) => kind !== "table").map(({ sql }) => sql));
};

/** `migrate` writes with foreign keys off, because the tables are copied in no particular order. */
const copyRows = async (source: Source, target: Client, table: string): Promise<void> => {
  let limit = FIRST_ROWS;
  for (let last: bigint | number = -1; ; ) {
    const { rows, columns } = await source.execute({
      sql: `SELECT rowid AS "_rowid", * FROM ${quoted(table)} WHERE rowid > ? ORDER BY rowid LIMIT ${limit}`,
      args: [last],
    });
    const [rowid, ...names] = columns;
    const insert = `INSERT INTO ${quoted(table)} (rowid, ${names.map(quoted).join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
    const statements = rows.map(
      (row): InStatement => ({ sql: insert, args: [rowid ?? "", ...names].map((_, index) => row[index] as InValue) }),
    );
    if (statements.length > 0) await target.migrate(statements);
    if (rows.length < limit) return;
    last = rows.at(-1)?.[0] as bigint;
    limit = nextLimit(rows);
  }
};

/** Number of rows for the next page, assuming that they are as large as these. */
export const nextLimit = (rows: readonly ArrayLike<unknown>[]): number => {
  const bytes = rows.reduce(
    (sum, row) => sum + Array.from(row).reduce<number>((all, value) => all + sizeOf(value), 0),
    0,
  );
  return Math.max(1, Math.min(PAGE_ROWS, Math.floor((PAGE_BYTES * rows.length) / Math.max(1, bytes))));
};

const sizeOf = (value: unknown): number =>
  typeof value === "string" ? value.length : value instanceof ArrayBuffer ? value.byteLength : 8;
