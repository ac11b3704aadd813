import { and, eq, gt, inArray, lt, sql } from "drizzle-orm";
import type { Db, Reads, Tx } from "./client";
import { responses } from "./schema";

export type ResponseRow = typeof responses.$inferSelect;

/** The part of a stored response that later responses need. */
export interface ChainRow {
  id: string;
  previousId: string | null;
  /** `Item[]`: the request's items, then the answer's. */
  input: unknown[];
  output: unknown[];
  /** The size of its items and of those of all later rows. */
  totalBytes: number;
}

/** Where an item is: its index in the input or the output of a response. */
export interface ItemPlace {
  responseId: string;
  list: "input" | "output";
  place: number;
}

/** An earlier response's expiry is only extended if it moves by more than this, to save writes. */
const MIN_EXTENSION_MS = 86_400_000;

const { id, keyId, expiresAt } = responses;

/** Ids of the response `first` and of every earlier response in its chain. */
const chainFrom = (first: string) => sql`
  WITH RECURSIVE chain(id, previous_id, depth) AS (
    SELECT id, previous_id, 0 FROM responses WHERE id = ${first}
    UNION ALL
    SELECT earlier.id, earlier.previous_id, depth + 1 FROM responses AS earlier JOIN chain ON earlier.id = chain.previous_id
  )`;

/** Stores a response, and extends the expiry of the responses it continues to its own. */
export const insertResponse = async (tx: Tx, row: typeof responses.$inferInsert): Promise<void> => {
  await tx.insert(responses).values(row);
  if (!row.previousId) return;
  const ids = sql`${id} IN (${chainFrom(row.previousId)} SELECT id FROM chain)`;
  const isEarly = lt(expiresAt, new Date(row.expiresAt.getTime() - MIN_EXTENSION_MS));
  await tx.update(responses).set({ expiresAt: row.expiresAt }).where(and(isEarly, ids));
};

/** The key's response with this id, unless it has expired. */
export const findResponse = async (
  db: Reads,
  owner: string,
  wanted: string,
  now: Date,
): Promise<ResponseRow | undefined> => {
  const own = and(eq(id, wanted), eq(keyId, owner), gt(expiresAt, now));
  const [row] = await db.select().from(responses).where(own);
  return row;
};

/**
 * A response of the key and the responses it continues, oldest first. Stops at one that was deleted or has expired, and
 * after the row with which all items together exceed `maxBytes`.
 */
export const listChain = async (
  db: Reads,
  owner: string,
  last: string,
  now: Date,
  maxBytes: number,
): Promise<ChainRow[]> => {
  type Row = Omit<ChainRow, "input" | "output"> & { input: string; output: string };
  const itemBytes = sql`octet_length(responses.input) + octet_length(responses.response -> '$.output')`;
  const rows = await db.all<Row>(sql`
    WITH RECURSIVE chain(id, previous_id, depth, total_bytes) AS (
      SELECT id, previous_id, 0, ${itemBytes} FROM responses WHERE id = ${last}
      UNION ALL
      SELECT responses.id, responses.previous_id, depth + 1, total_bytes + ${itemBytes}
      FROM responses JOIN chain ON responses.id = chain.previous_id WHERE total_bytes <= ${maxBytes}
    )
    SELECT responses.id AS id, responses.previous_id AS previousId, total_bytes AS totalBytes, input,
      response -> '$.output' AS output
    FROM chain JOIN responses ON responses.id = chain.id
    WHERE ${keyId} = ${owner} AND ${expiresAt} > ${now.getTime()}
    ORDER BY depth DESC`);
  return rows.map((row) => ({ ...row, input: JSON.parse(row.input), output: JSON.parse(row.output) }));
};

/** The items at these places in the key's responses that haven't expired; undefined if they exceed `maxBytes`. */
export const findItems = async (
  db: Reads,
  owner: string,
  places: readonly ItemPlace[],
  now: Date,
  maxBytes: number,
): Promise<unknown[] | undefined> => {
  const wanted = places.map(({ responseId, list, place }) => ({ responseId, list, path: `$[${place}]` }));
  const found = sql`
    SELECT CASE wanted.value ->> 'list'
      WHEN 'input' THEN input -> (wanted.value ->> 'path')
      ELSE response -> '$.output' -> (wanted.value ->> 'path')
    END AS item
    FROM json_each(${JSON.stringify(wanted)}) AS wanted JOIN responses ON responses.id = wanted.value ->> 'responseId'
    WHERE ${keyId} = ${owner} AND ${expiresAt} > ${now.getTime()}`;
  const [size] = await db.all<{ bytes: number }>(sql`SELECT total(octet_length(item)) AS bytes FROM (${found})`);
  if (size && size.bytes > maxBytes) return undefined;
  const rows = await db.all<{ item: string }>(sql`SELECT item FROM (${found}) WHERE item IS NOT NULL`);
  return rows.map(({ item }) => JSON.parse(item));
};

/** False if the key has no such response. */
export const deleteResponse = async (tx: Tx, owner: string, wanted: string, now: Date): Promise<boolean> => {
  const own = and(eq(id, wanted), eq(keyId, owner), gt(expiresAt, now));
  const { rowsAffected } = await tx.delete(responses).where(own);
  return rowsAffected > 0;
};

/** Deletes up to `limit` responses that have expired. Returns how many were deleted. */
export const deleteExpiredResponses = (db: Pick<Db, "write">, now: Date, limit: number): Promise<number> =>
  db.write(async (tx) => {
    const expired = tx.select({ id }).from(responses).where(lt(expiresAt, now)).limit(limit);
    const { rowsAffected } = await tx.delete(responses).where(inArray(id, expired));
    return rowsAffected;
  });

/** Whether any response has expired. Only reads, so it doesn't block other processes. */
export const hasExpiredResponses = async (db: Reads, now: Date): Promise<boolean> =>
  (await db.select({ id }).from(responses).where(lt(expiresAt, now)).limit(1)).length > 0;
