import { type AuditActor, appendAudit } from "../../db/audit";
import type { Db, Tx } from "../../db/client";
import { type CacheNamespaceRow, findKey, listCacheNamespaces, saveCacheNamespace } from "../../db/keys";
import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { CacheNamespaceSettings } from "./contract";

/** Other gateways apply changed settings within this time. */
const REFRESH_MS = 5000;

interface NamespacesDeps {
  db: Db;
  log: Log;
  now?: () => number;
}

/** The namespace that a key reads and writes: its own, unless an admin put it into a shared one. */
export const createNamespaces = ({ db, log, now = Date.now }: NamespacesDeps) => {
  let settings = new Map<string, CacheNamespaceSettings>();
  let nameByKey = new Map<string, string>();
  let timer: Timer | undefined;

  const load = async (): Promise<void> => {
    const rows = await listCacheNamespaces(db);
    settings = new Map(rows.map(({ name, enabled, keyIds }) => [name, { name, enabled, keys: keyIds }]));
    nameByKey = new Map(rows.flatMap(({ name, keyIds }) => keyIds.map((keyId) => [keyId, name])));
  };

  const save = async (
    actor: AuditActor,
    action: string,
    name: string,
    change: { enabled?: boolean; keyIds?: string[] },
  ): Promise<CacheNamespaceSettings> => {
    const saved = await db.write(async (tx) => {
      const rows = await listCacheNamespaces(tx);
      const isKnown = change.keyIds !== undefined || rows.some((row) => row.name === name) || (await findKey(tx, name));
      if (!isKnown) throw noNamespace(name);
      const { enabled: before = true, keyIds: keysBefore = [] } = rows.find((row) => row.name === name) ?? {};
      const { enabled = before, keyIds = keysBefore } = change;
      await checkKeys(
        tx,
        change.keyIds ?? [],
        rows.filter((row) => row.name !== name),
      );
      const at = new Date(now());
      await saveCacheNamespace(tx, { name, enabled, keyIds, updatedAt: at });
      await appendAudit(tx, { at, actor, action, target: name, detail: { enabled, keyIds } });
      return { name, enabled, keys: keyIds };
    });
    await load();
    return saved;
  };

  return {
    /** Loads the settings and refreshes them regularly. */
    open: async (): Promise<void> => {
      await load();
      timer = setInterval(() => {
        load().catch((error) => log.warn({ err: error }, "could not read the cache's namespaces"));
      }, REFRESH_MS);
      timer.unref();
    },
    nameOf: (keyId: string): string => nameByKey.get(keyId) ?? keyId,
    isDisabled: (name: string): boolean => settings.get(name)?.enabled === false,
    /** Namespaces with settings. */
    list: (): CacheNamespaceSettings[] => [...settings.values()],
    /**
     * A disabled namespace is neither read nor written; its entries stay until they expire. Throws not_found unless
     * `name` is a key's id or was shared.
     */
    setEnabled: (actor: AuditActor, name: string, enabled: boolean) =>
      save(actor, enabled ? "cache.enable" : "cache.disable", name, { enabled }),
    /**
     * Sets the keys that share `name`; an empty list stops the sharing. Throws not_found for an unknown key, conflict for a
     * key in another shared namespace, invalid_request for a name that looks like a key's id.
     */
    share: async (actor: AuditActor, name: string, keyIds: string[]) => {
      if (name.startsWith("key_")) {
        throw new AppError("invalid_request", `${name} is a key's own namespace. Choose a name without "key_".`, {
          param: "namespace",
        });
      }
      return save(actor, "cache.share", name, { keyIds });
    },
    close: () => clearInterval(timer),
  };
};

export type Namespaces = ReturnType<typeof createNamespaces>;

const noNamespace = (name: string): AppError =>
  new AppError(
    "not_found",
    `Namespace "${name}" not found. Use a key's id, or a name that was shared with POST /v1/cache/share.`,
    { param: "namespace" },
  );

const checkKeys = async (tx: Tx, keyIds: string[], others: CacheNamespaceRow[]): Promise<void> => {
  for (const keyId of keyIds) {
    if (!(await findKey(tx, keyId))) {
      throw new AppError("not_found", `Key ${keyId} not found.`, { param: "keys" });
    }
    const other = others.find((row) => row.keyIds.includes(keyId));
    if (other) {
      throw new AppError("conflict", `${keyId} already shares the namespace "${other.name}". Remove it there first.`, {
        param: "keys",
      });
    }
  }
};
