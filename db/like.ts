import { type SQL, type SQLWrapper, sql } from "drizzle-orm";

/** True where the column holds `text` as it stands: % and _ mean themselves. Letters of ASCII match in both cases. */
export const like = (column: SQLWrapper, text: string): SQL =>
  sql`${column} LIKE ${`%${text.replaceAll(/[\\%_]/g, "\\$&")}%`} ESCAPE '\\'`;
