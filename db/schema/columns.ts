import { sql } from "drizzle-orm";
import { type AnySQLiteColumn, integer, text } from "drizzle-orm/sqlite-core";

/** A time: stored as milliseconds since 1970, a `Date` in the code. */
export const time = () => integer({ mode: "timestamp_ms" });
export const createdAt = () => time().notNull().default(sql`(CAST(unixepoch('subsec') * 1000 AS INTEGER))`);
export const flag = () => integer({ mode: "boolean" });
/** A JSON value. Its type is not checked when it is read. */
export const json = <T>() => text({ mode: "json" }).$type<T>();

/** The id of a row in another table. */
export const refersTo = (id: () => AnySQLiteColumn) => text().notNull().references(id);
/** The id of a row that this one is deleted with. */
export const partOf = (id: () => AnySQLiteColumn) => text().notNull().references(id, { onDelete: "cascade" });
