import { sql } from "drizzle-orm";
import { integer, text } from "drizzle-orm/sqlite-core";

/** A time: stored as milliseconds since 1970, a `Date` in the code. */
export const time = () => integer({ mode: "timestamp_ms" });
export const createdAt = () => time().notNull().default(sql`(CAST(unixepoch('subsec') * 1000 AS INTEGER))`);
export const flag = () => integer({ mode: "boolean" });
/** A JSON value. Its type is not checked when it is read. */
export const json = <T>() => text({ mode: "json" }).$type<T>();
