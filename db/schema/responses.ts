import { index, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { createdAt, json, time } from "./columns";
import { keys } from "./keys";

/** Stored responses of `/v1/responses`. */
export const responses = sqliteTable(
  "responses",
  {
    id: text().primaryKey(),
    keyId: text()
      .notNull()
      .references(() => keys.id),
    /** The response that this one continues. Not a foreign key, because that one can be deleted. */
    previousId: text(),
    /** The items of the request: `Item[]`. */
    input: json<unknown[]>().notNull(),
    /** The response as it was returned: `ResponseObject`. */
    response: json<Record<string, unknown>>().notNull(),
    createdAt: createdAt(),
    expiresAt: time().notNull(),
  },
  (table) => [index("responses_by_end").on(table.expiresAt)],
);
