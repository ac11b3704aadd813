import { databaseOptions, openDb } from "../../../db/client";
import { migrate } from "../../../db/migrate";
import type { Config } from "../../../lib/config";
import { silentLog } from "../../../lib/log";
import { createKeys } from "../../keys/service";
import { createSessions } from "../../sessions/service";

/** Created once and shown once. */
export interface FirstRun {
  adminKey: string;
  /** For the sign-in link; valid once, for 15 minutes. */
  signInToken: string;
}

/**
 * Migrates the database and creates an admin key, before any other process opens it. Resolves with undefined if there is an
 * admin key already, in the database or in the environment.
 */
export const prepareDatabase = async (config: Config): Promise<FirstRun | undefined> => {
  const db = await openDb(databaseOptions(config), silentLog());
  try {
    await migrate(db);
    const keys = createKeys({ db, config });
    const { created } = await keys.bootstrap();
    if (created === undefined) return undefined;
    const { keyId } = await keys.verify(`Bearer ${created}`);
    const { token } = await createSessions({ db, keys }).createSignInToken(keyId);
    return { adminKey: created, signInToken: token };
  } finally {
    await db.close();
  }
};
