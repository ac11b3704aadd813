import { appendAudit } from "../../db/audit";
import type { Db, Tx } from "../../db/client";
import * as store from "../../db/keys";
import { revokeSessions } from "../../db/sessions";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { type NumberedPage, type NumberedQuery, numberedPage, strangeCursor } from "../paging";
import type { Principal, Role } from "../principal";
import { assertUsable, effectiveLimits, isUsable, toPrincipal } from "./admission";
import { bootstrapAdmin } from "./bootstrap";
import { generateKey, hashOf } from "./format";
import { LastUse } from "./last-use";
import {
  type Actor,
  assertAdmin,
  assertInFuture,
  assertNotRevoked,
  assertOtherAdmin,
  assertOwnedHere,
  endsSoon,
} from "./rules";
import { Verifier } from "./verifier";

export type { Actor } from "./rules";

/** The command line. Write access to the database file implies the role admin. */
export const LOCAL_ACTOR: Actor = { keyId: "cli", role: "admin" };

/** What an admin sets on a key. null: no restriction, or the configured default. */
export interface KeySettings {
  name: string;
  role: Role;
  allowedModels: string[] | null;
  allowedIndexes: string[] | null;
  requestsPerMinute: number | null;
  parallelRequests: number | null;
  contentLogging: boolean;
  expiresAt: Date | null;
}

/** A key as it may be shown: everything but the hash of its secret. */
export interface KeyRecord extends Omit<store.KeyRow, "secretHash"> {
  status: "active" | "expired" | "revoked";
  /** What holds: its own limits, or the configured ones. */
  limits: Principal["limits"];
}

/** A new key. `key` is only shown here. */
export interface IssuedKey {
  record: KeyRecord;
  key: string;
}

interface IssueOptions {
  /** Id of the new key, from `newKeyId`. A form carries it, so that sending the form twice creates one key. */
  id?: string;
  /** Runs in the transaction that creates the key. */
  onIssued?: (tx: Tx, issued: IssuedKey) => Promise<void>;
}

export interface KeysService {
  /** Synchronous for a key seen within a second. Throws missing_api_key or invalid_api_key. */
  verify(authorization: string | undefined): Principal | Promise<Principal>;
  /** The principal of a stored key. Throws invalid_api_key when it is revoked or expired. */
  admit(key: store.KeyRow, via: Principal["via"]): Principal;
  /** Those of these keys that are revoked, expired or gone, by the database. */
  unusable(ids: readonly string[]): Promise<string[]>;
  /** Makes sure that an admin key works, before the first request. `created`: a new one, to be shown once. */
  bootstrap(): Promise<{ created?: string }>;
  /** Throws conflict if a key with the given id exists. */
  create(
    actor: Actor,
    settings: Pick<KeySettings, "name" | "role"> & Partial<KeySettings>,
    options?: IssueOptions,
  ): Promise<IssuedKey>;
  /** Newest first; `after` is the id of the last one of the page before. */
  list(page: { limit: number; after?: string }): Promise<{ keys: KeyRecord[]; hasMore: boolean }>;
  /** A numbered page of all keys. A number past the end gives the last page. */
  listNumbered(query: NumberedQuery<store.KeyOrder["by"]>): Promise<NumberedPage<KeyRecord>>;
  /** Throws not_found. */
  get(id: string): Promise<KeyRecord>;
  /** Throws not_found, or conflict when no admin key would be left. */
  update(actor: Actor, id: string, changes: Partial<KeySettings>): Promise<KeyRecord>;
  /**
   * Creates a key with the same settings. The old one works for another `graceMs`, or until it expires if that is
   * sooner. Throws not_found, or conflict for a key that cannot be rotated and for an id that is taken.
   */
  rotate(actor: Actor, id: string, graceMs: number, options?: IssueOptions): Promise<IssuedKey>;
  /** Ends the key and its sessions: at once in this process, within a second in others. Throws not_found or conflict. */
  revoke(actor: Actor, id: string): Promise<KeyRecord>;
  /** Writes when keys were last used. Otherwise that happens once a minute. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface KeysDeps {
  db: Db;
  config: Config;
  now?: () => Date;
}

export const createKeys = ({ db, config, now = () => new Date() }: KeysDeps): KeysService => {
  const { adminKey, requestsPerMinute, parallelRequests } = config.gateway;
  const defaults = { requestsPerMinute, parallelRequests };
  const lastUse = new LastUse((uses) => {
    verifier.sweep();
    return store.recordKeyUse(db, uses);
  });
  const bootstrapHash = adminKey === undefined ? undefined : hashOf(adminKey);
  const verifier = new Verifier({ db, defaults, bootstrapHash, now, onUse: (id, at) => lastUse.touch(id, at) });

  const toRecord = ({ secretHash: _, ...row }: store.KeyRow): KeyRecord => ({
    ...row,
    status: row.revokedAt ? "revoked" : row.expiresAt && row.expiresAt <= now() ? "expired" : "active",
    limits: effectiveLimits(row, defaults),
  });

  /** One change of one key with its line in the audit log. */
  const change = async <T>(
    actor: Actor,
    id: string,
    action: string,
    work: (tx: Tx, key: store.KeyRow, at: Date) => Promise<{ result: T; detail?: Record<string, unknown> }>,
  ): Promise<T> => {
    assertAdmin(actor);
    const at = now();
    const result = await db.write(async (tx) => {
      const key = await store.findKey(tx, id);
      if (!key) throw noSuchKey(id);
      const done = await work(tx, key, at);
      await appendAudit(tx, { at, actor: actor.keyId, action, target: id, detail: done.detail });
      return done.result;
    });
    verifier.forget(id);
    return result;
  };

  const issue = async (
    tx: Tx,
    actor: Actor,
    at: Date,
    row: IssueFields,
    wantedId: string | undefined,
  ): Promise<IssuedKey> => {
    if (wantedId !== undefined && (await store.findKey(tx, wantedId))) throw keyExists(wantedId);
    const { id, key } = generateKey(wantedId?.replace("key_", ""));
    const stored = await store.insertKey(tx, {
      ...row,
      id,
      secretHash: hashOf(key),
      createdAt: at,
      createdBy: actor.keyId,
    });
    return { record: toRecord(stored), key };
  };

  return {
    verify: (authorization) => verifier.verify(authorization),

    admit(key, via) {
      assertUsable(key, now());
      return toPrincipal(key, defaults, via);
    },

    async unusable(ids) {
      const found = await Promise.all(ids.map((id) => store.findKey(db, id)));
      const at = now();
      const usable = new Set(found.filter((key) => key && isUsable(key, at)).map((key) => key?.id));
      return ids.filter((id) => !usable.has(id));
    },

    bootstrap: () => bootstrapAdmin(db, adminKey, now()),

    async create(actor, settings, { id, onIssued } = {}) {
      assertAdmin(actor);
      const at = now();
      assertInFuture(settings.expiresAt, at);
      return db.write(async (tx) => {
        const issued = await issue(tx, actor, at, settings, id);
        const { name, role } = settings;
        const target = issued.record.id;
        await appendAudit(tx, { at, actor: actor.keyId, action: "key.create", target, detail: { name, role } });
        await onIssued?.(tx, issued);
        return issued;
      });
    },

    async list({ limit, after }) {
      if (after !== undefined && !(await store.findKey(db, after))) throw strangeCursor();
      const rows = await store.listKeys(db, limit + 1, after);
      return { keys: rows.slice(0, limit).map(toRecord), hasMore: rows.length > limit };
    },

    async listNumbered({ sort, ...place }) {
      return numberedPage(place, await store.countKeys(db), async ({ limit, offset }) =>
        (await store.listKeysSorted(db, sort, limit, offset)).map(toRecord),
      );
    },

    async get(id) {
      const key = await store.findKey(db, id);
      if (!key) throw noSuchKey(id);
      return toRecord(key);
    },

    update: (actor, id, changes) =>
      change(actor, id, "key.update", async (tx, key, at) => {
        assertOwnedHere(key);
        assertNotRevoked(key);
        const losesAdmin = changes.role !== undefined && changes.role !== "admin";
        if (losesAdmin || endsSoon(changes.expiresAt, at)) await assertOtherAdmin(tx, key, at);
        const updated = await store.updateKey(tx, id, changes);
        return { result: toRecord(updated ?? key), detail: { ...changes } };
      }),

    rotate: (actor, id, graceMs, { id: newId, onIssued } = {}) =>
      change(actor, id, "key.rotate", async (tx, key, at) => {
        assertOwnedHere(key);
        assertNotRevoked(key);
        const graceEndsAt = new Date(at.getTime() + graceMs);
        const endsAt = key.expiresAt && key.expiresAt < graceEndsAt ? key.expiresAt : graceEndsAt;
        const issued = await issue(tx, actor, at, { ...settingsOf(key), rotatedFrom: key.id }, newId);
        await store.updateKey(tx, id, { expiresAt: endsAt });
        await onIssued?.(tx, issued);
        return { result: issued, detail: { to: issued.record.id, endsAt: endsAt.toISOString() } };
      }),

    revoke: (actor, id) =>
      change(actor, id, "key.revoke", async (tx, key, at) => {
        assertOwnedHere(key);
        if (key.revokedAt) return { result: toRecord(key) };
        await assertOtherAdmin(tx, key, at);
        const revoked = await store.updateKey(tx, id, { revokedAt: at });
        const sessions = await revokeSessions(tx, id, at);
        return { result: toRecord(revoked ?? key), detail: { sessions } };
      }),

    flush: () => lastUse.flush(),
    close: () => lastUse.close(),
  };
};

type IssueFields = Omit<store.NewKeyRow, "id" | "secretHash" | "createdAt" | "createdBy">;

const settingsOf = (key: store.KeyRow): KeySettings => ({
  name: key.name,
  role: key.role,
  allowedModels: key.allowedModels,
  allowedIndexes: key.allowedIndexes,
  requestsPerMinute: key.requestsPerMinute,
  parallelRequests: key.parallelRequests,
  contentLogging: key.contentLogging,
  expiresAt: key.expiresAt,
});

const noSuchKey = (id: string) => new AppError("not_found", `There is no key ${id}.`);
const keyExists = (id: string) =>
  new AppError("conflict", `The key ${id} already exists, and its secret cannot be shown again. Create a new key.`);
