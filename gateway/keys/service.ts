import { appendAudit } from "../../db/audit";
import type { Db, Tx } from "../../db/client";
import * as store from "../../db/keys";
import { revokeSessions } from "../../db/sessions";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { PageQuery } from "../contract";
import type { Seal } from "../idempotency/service";
import { type NumberedQuery, numberedPage, pageOf, strangeCursor } from "../paging";
import type { Principal } from "../principal";
import { bootstrapAdmin } from "./bootstrap";
import type { CreateKey, Key, KeyPage, KeyWithSecret, Me, RotateKey, UpdateKey } from "./contract";
import { generateKey, hashOf } from "./format";
import { assertLimits } from "./limit-rules";
import {
  type Actor,
  assertAdmin,
  assertBodiesLoggable,
  assertInFuture,
  assertNotExpired,
  assertNotRevoked,
  assertOtherAdmin,
  assertOwnedHere,
  assertUsable,
  endsSoon,
  isUsable,
  toPrincipal,
} from "./rules";
import { LastUse, Verifier } from "./verifier";
import { fromUpdate, toKey, toMe } from "./wire";

export type { Actor } from "./rules";

/** How long a rotated key keeps working by default. */
const DEFAULT_GRACE_SECONDS = 3600;

/** The command line. Write access to the database file implies the admin role. */
export const LOCAL_ACTOR: Actor = { keyId: "cli", role: "admin" };

interface IssueOptions {
  /** Id of the new key, from `newKeyId`. A form contains it, so that submitting the form twice creates one key. */
  id?: string;
  seal?: Seal;
}

export interface KeysDeps {
  db: Db;
  config: Config;
  now?: () => Date;
}

export const createKeys = ({ db, config, now = () => new Date() }: KeysDeps) => {
  const { adminKey, requestsPerMinute, parallelRequests } = config.gateway;
  const defaults = { requestsPerMinute, parallelRequests };
  const lastUse = new LastUse((uses) => {
    verifier.sweep();
    return store.recordKeyUse(db, uses);
  });
  const bootstrapHash = adminKey === undefined ? undefined : hashOf(adminKey);
  const onUse = (id: string, at: Date): void => lastUse.touch(id, at);
  const verifier = new Verifier({ db, defaults, bootstrapHash, now, onUse });

  const toWire = (row: store.KeyRow): Key => toKey(row, defaults, now());

  /** Changes a key and adds an entry to the audit log. */
  const change = async <T>(
    actor: Actor,
    id: string,
    action: string,
    /** Without a `detail`, nothing was changed. */
    work: (tx: Tx, key: store.KeyRow, at: Date) => Promise<{ result: T; detail?: Record<string, unknown> }>,
  ): Promise<T> => {
    assertAdmin(actor);
    const at = now();
    const result = await db.write(async (tx) => {
      const key = await store.findKey(tx, id);
      if (!key) throw noSuchKey(id);
      const done = await work(tx, key, at);
      if (done.detail) await appendAudit(tx, { at, actor, action, target: id, detail: done.detail });
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
  ): Promise<KeyWithSecret> => {
    if (wantedId !== undefined && (await store.findKey(tx, wantedId))) throw keyExists(wantedId);
    const { id, key } = generateKey(wantedId?.replace("key_", ""));
    const stored = await store.insertKey(tx, {
      ...row,
      id,
      secretHash: hashOf(key),
      createdAt: at,
      createdBy: actor.keyId,
    });
    return { ...toWire(stored), key };
  };

  /** Throws not_found. */
  const get = async (id: string): Promise<Key> => {
    const key = await store.findKey(db, id);
    if (!key) throw noSuchKey(id);
    return toWire(key);
  };

  return {
    /** Synchronous for a key verified within the last second. Throws missing_api_key or invalid_api_key. */
    verify: (authorization: string | undefined): Principal | Promise<Principal> => verifier.verify(authorization),

    /** The key that a jobs worker works for. Throws invalid_api_key. */
    verifyWorker: (token: string, keyId: string | undefined): Promise<Principal> => verifier.verifyWorker(token, keyId),

    /** The principal of a stored key. Throws invalid_api_key if it is revoked or expired. */
    admit(key: store.KeyRow, via: Principal["via"]): Principal {
      assertUsable(key, now());
      return toPrincipal(key, defaults, via);
    },

    /** Returns the ids of keys that are revoked, expired or deleted, read from the database. */
    async unusable(ids: readonly string[]): Promise<string[]> {
      const found = await Promise.all(ids.map((id) => store.findKey(db, id)));
      const at = now();
      const usable = new Set(found.filter((key) => key && isUsable(key, at)).map((key) => key?.id));
      return ids.filter((id) => !usable.has(id));
    },

    /** Names by id, also of keys that were revoked. */
    names: (ids: readonly string[]): Promise<ReadonlyMap<string, string>> => store.listKeyNames(db, ids),

    /** Ensures that an admin key works before the first request. `created`: a new key, to be shown once. */
    bootstrap: () => bootstrapAdmin(db, adminKey, now()),

    /** Throws conflict if a key with the given id exists. */
    async create(actor: Actor, request: CreateKey, { id: wantedId, seal }: IssueOptions = {}): Promise<KeyWithSecret> {
      assertAdmin(actor);
      const at = now();
      const { name, role } = request;
      const settings = { ...fromUpdate(request), name, role };
      assertInFuture(settings.expiresAt, at);
      assertLimits(request, config.gateway);
      assertBodiesLoggable(settings);
      return db.write(async (tx) => {
        const issued = await issue(tx, actor, at, settings, wantedId);
        const detail = { ...settings };
        await appendAudit(tx, { at, actor, action: "key.create", target: issued.id, detail });
        await seal?.(tx, issued);
        return issued;
      });
    },

    /** Newest first. */
    async list({ limit = 20, after }: PageQuery): Promise<KeyPage> {
      if (after !== undefined && !(await store.findKey(db, after))) throw strangeCursor();
      return pageOf(await store.listKeys(db, limit + 1, after), limit, toWire, ({ id }) => id);
    },

    /** A numbered page of all keys. A number past the end returns the last page. */
    async listNumbered({ sort, ...place }: NumberedQuery<store.KeySort>) {
      return numberedPage(place, await store.countKeys(db), async (slice) =>
        (await store.listSortedKeys(db, { ...slice, sort })).map(toWire),
      );
    },

    /**
     * Maps each key to the newest key that replaced it. Omits keys that were not replaced, or whose replacement was
     * revoked.
     */
    async successors(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
      const rows = await store.listSuccessors(db, ids);
      return new Map(rows.flatMap(({ id, rotatedFrom }) => (rotatedFrom === null ? [] : [[rotatedFrom, id] as const])));
    },

    get,
    /** The principal of a key that may have ended, to explain its limits. Throws not_found. */
    async principalOf(id: string): Promise<Principal> {
      const key = await store.findKey(db, id);
      if (!key) throw noSuchKey(id);
      return toPrincipal(key, defaults, "key");
    },
    me: async (principal: Principal): Promise<Me> => toMe(principal, await get(principal.keyId)),

    /** Throws not_found, or conflict if no admin key would be left. */
    update: (actor: Actor, id: string, request: UpdateKey): Promise<Key> =>
      change(actor, id, "key.update", async (tx, key, at) => {
        const changes = fromUpdate(request);
        assertLimits(request, config.gateway);
        assertOwnedHere(key);
        assertNotRevoked(key);
        const { logBodies, contentLogging = key.contentLogging } = changes;
        assertBodiesLoggable({ logBodies, contentLogging });
        const losesAdmin = changes.role !== undefined && changes.role !== "admin";
        if (losesAdmin || endsSoon(changes.expiresAt, at)) await assertOtherAdmin(tx, key, at);
        const updated = await store.updateKey(tx, id, changes);
        return { result: toWire(updated ?? key), detail: { ...changes } };
      }),

    /**
     * Creates a key with the same settings and the same counters of its limits. The old one works until the grace period ends, or until it expires if that is
     * sooner. Throws not_found, and conflict if the key can't be rotated or the id is already used.
     */
    rotate: (
      actor: Actor,
      id: string,
      { grace_seconds = DEFAULT_GRACE_SECONDS }: RotateKey,
      { id: newId, seal }: IssueOptions = {},
    ): Promise<KeyWithSecret> =>
      change(actor, id, "key.rotate", async (tx, key, at) => {
        assertOwnedHere(key);
        assertNotRevoked(key);
        assertNotExpired(key, at);
        const graceEndsAt = new Date(at.getTime() + grace_seconds * 1000);
        const endsAt = key.expiresAt && key.expiresAt < graceEndsAt ? key.expiresAt : graceEndsAt;
        const settings = { ...settingsOf(key), expiresAt: await expiryBeforeRotation(tx, key), rotatedFrom: key.id };
        const limitAccount = key.limitAccount ?? key.id;
        const issued = await issue(tx, actor, at, { ...settings, limitAccount }, newId);
        await store.updateKey(tx, id, { expiresAt: endsAt });
        await seal?.(tx, issued);
        return { result: issued, detail: { to: issued.id, endsAt: endsAt.toISOString() } };
      }),

    /** Revokes the key and its sessions: immediately in this process, within a second in others. Throws not_found, conflict. */
    revoke: (actor: Actor, id: string): Promise<Key> =>
      change(actor, id, "key.revoke", async (tx, key, at) => {
        assertOwnedHere(key);
        if (key.revokedAt) return { result: toWire(key) };
        await assertOtherAdmin(tx, key, at);
        const revoked = await store.updateKey(tx, id, { revokedAt: at });
        const sessions = await revokeSessions(tx, id, at);
        return { result: toWire(revoked ?? key), detail: { sessions } };
      }),

    /** Flushes last-use times now; normally they are written once a minute. */
    flush: () => lastUse.flush(),
    close: () => lastUse.close(),
  };
};

export type KeysService = ReturnType<typeof createKeys>;

type IssueFields = Omit<store.NewKeyRow, "id" | "secretHash" | "createdAt" | "createdBy">;

/** The settings that a rotated key inherits. They are listed so that a new column is not copied by accident. */
const settingsOf = ({
  name,
  role,
  expiresAt,
  requestsPerMinute,
  parallelRequests,
  tokensPerMinute,
  budgets,
  modelLimits,
  observeOnly,
  onStoreLoss,
  allowedModels,
  allowedIndexes,
  contentLogging,
  logBodies,
}: store.KeyRow) => ({
  name,
  role,
  expiresAt,
  requestsPerMinute,
  parallelRequests,
  tokensPerMinute,
  budgets,
  modelLimits,
  observeOnly,
  onStoreLoss,
  allowedModels,
  allowedIndexes,
  contentLogging,
  logBodies,
});

/** A rotated key expires when its grace period ends; its successors have its original expiry. null: never. */
const expiryBeforeRotation = async (tx: Tx, key: store.KeyRow): Promise<Date | null> => {
  const expiries = [key.expiresAt, ...(await store.listSuccessorExpiries(tx, key.id))];
  const dates = expiries.filter((date) => date !== null);
  return dates.length < expiries.length ? null : new Date(Math.max(...dates.map((date) => date.getTime())));
};

const noSuchKey = (id: string) => new AppError("not_found", `Key ${id} not found.`);
const keyExists = (id: string) =>
  new AppError("conflict", `The key ${id} already exists, and its secret can't be shown again. Create a new key.`);
