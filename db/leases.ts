import { and, eq, lt, or } from "drizzle-orm";
import { leases } from "./schema";
import type { Db } from "./types";

/** Takes or renews `name` for `leaseMs` from `now`; false while another holder has the lease. */
export const takeLease = (
  db: Pick<Db, "write">,
  name: string,
  holder: string,
  now: Date,
  leaseMs: number,
): Promise<boolean> =>
  db.write(async (tx) => {
    const until = new Date(now.getTime() + leaseMs);
    const { rowsAffected } = await tx
      .insert(leases)
      .values({ name, holder, until })
      .onConflictDoUpdate({
        target: leases.name,
        set: { holder, until },
        setWhere: or(eq(leases.holder, holder), lt(leases.until, now)),
      });
    return rowsAffected > 0;
  });

export const releaseLease = (db: Pick<Db, "write">, name: string, holder: string): Promise<void> =>
  db.write(async (tx) => {
    await tx.delete(leases).where(and(eq(leases.name, name), eq(leases.holder, holder)));
  });
