import type { Db, Tx } from "../../db/client";
import { publishEvent } from "../../db/outbox";
import type { PublishedEvent } from "./event-contract";

/** Publishes events to webhooks. What `db/ended-work.ts` knows to have ended publishes itself. */
export const createEvents = ({ db, now = () => new Date() }: { db: Pick<Db, "write">; now?: () => Date }) => ({
  /**
   * Stores an event, which a jobs worker delivers. Only the first event with a `cause` is stored, so several processes may
   * publish the same one. Pass the transaction of the change that causes the event. Returns whether it was stored.
   */
  publish: (event: PublishedEvent, tx?: Tx): Promise<boolean> =>
    tx ? publishEvent(tx, event, now()) : db.write((own) => publishEvent(own, event, now())),
});
