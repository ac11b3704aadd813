import { appendAudit } from "../../db/audit";
import type { Db, Tx } from "../../db/client";
import { findKey, type KeyRow } from "../../db/keys";
import * as store from "../../db/sessions";
import { AppError } from "../../lib/errors";
import { digestOf, hashOf } from "../keys/format";
import { type Actor, assertAdmin, isUsable } from "../keys/rules";
import type { KeysService } from "../keys/service";
import { LastUse, OneSecondCache } from "../keys/verifier";
import type { Principal } from "../principal";

const MINUTE_MS = 60_000;
/** A browser that is idle for this long must sign in again. */
export const IDLE_MS = 12 * 60 * MINUTE_MS;
/** Maximum lifetime of a session, even if it is in use. */
export const ABSOLUTE_MS = 7 * 24 * 60 * MINUTE_MS;
/** How long ended sessions and used links are kept in the database. */
const KEPT_MS = 30 * 24 * 60 * MINUTE_MS;
const TOKEN_MS = 15 * MINUTE_MS;

interface SignIn {
  /** The cookie's value, which the gateway doesn't store. */
  cookie: string;
  principal: Principal;
  expiresAt: Date;
}

interface SignInOptions {
  /** The cookie's value of an earlier session, which ends. */
  previous?: string;
  requestId?: string;
}

interface SessionDeps {
  db: Db;
  keys: KeysService;
  now?: () => Date;
}

export const createSessions = ({ db, keys, now = () => new Date() }: SessionDeps) => {
  const known = new OneSecondCache<Known>();
  const lastUse = new LastUse((uses) => {
    known.sweep(now().getTime());
    return store.recordSessionUse(db, uses, new Date(now().getTime() - KEPT_MS));
  });

  /** Starts a session in `tx`. Every sign-in gets a new value, which prevents session fixation. */
  const begin = async (tx: Tx, principal: Principal, at: Date, { previous, requestId }: SignInOptions) => {
    if (previous !== undefined) await store.revokeSession(tx, hashOf(previous), at);
    const value = randomValue();
    const expiresAt = new Date(at.getTime() + ABSOLUTE_MS);
    const { keyId } = principal;
    await store.insertSession(tx, { idHash: hashOf(value), keyId, createdAt: at, lastSeenAt: at, expiresAt });
    await appendAudit(tx, { at, actor: { keyId, requestId }, action: "session.begin", target: keyId });
    return { cookie: value, principal: { ...principal, via: "session" }, expiresAt } satisfies SignIn;
  };

  const forget = (value: string | undefined): void => {
    if (value === undefined) return;
    const digest = digestOf(value);
    known.drop((entry) => entry.digest === digest);
  };

  const read = async (digest: string, at: Date): Promise<Known | undefined> => {
    const row = await store.findSession(db, Buffer.from(digest, "base64"));
    if (!row || !isRunning(row.session, at) || !isUsable(row.key, at)) return undefined;
    const entry = { ...row, digest, principal: keys.admit(row.key, "session") };
    known.set(digest, entry, at.getTime());
    return entry;
  };

  return {
    /** Exchanges a key for a session. Throws invalid_api_key. */
    async signIn(key: string, options: SignInOptions = {}): Promise<SignIn> {
      const principal = await keys.verify(`Bearer ${key}`);
      const signIn = await db.write((tx) => begin(tx, principal, now(), options));
      forget(options.previous);
      return signIn;
    },

    /** Exchanges a one-time token for a session. Only one of several parallel calls succeeds. Throws invalid_api_key. */
    async redeem(token: string, options: SignInOptions = {}): Promise<SignIn> {
      const at = now();
      // This needs no authentication, so an invalid token must neither wait for the write lock nor hold it.
      if (!(await store.isSignInTokenGood(db, hashOf(token), at))) throw uselessToken();
      const signIn = await db.write(async (tx) => {
        const keyId = await store.useSignInToken(tx, hashOf(token), at);
        const key = keyId === undefined ? undefined : await findKey(tx, keyId);
        if (!key) throw uselessToken();
        return begin(tx, keys.admit(key, "session"), at, options);
      });
      forget(options.previous);
      return signIn;
    },

    /**
     * Creates a token for a sign-in link, valid once within `lifetimeMs`. Throws not_found or invalid_api_key for the
     * key.
     */
    async createSignInToken(keyId: string, lifetimeMs = TOKEN_MS) {
      const at = now();
      const token = randomValue();
      const expiresAt = new Date(at.getTime() + lifetimeMs);
      await db.write(async (tx) => {
        const key = await findKey(tx, keyId);
        if (!key) throw noSuchKey(keyId);
        keys.admit(key, "session");
        await store.insertSignInToken(tx, { tokenHash: hashOf(token), keyId, expiresAt });
        await appendAudit(tx, { at, actor: keyId, action: "sign_in_token.create", target: keyId });
      });
      return { token, expiresAt };
    },

    /** The principal of a cookie value. Undefined if the session or its key has ended, with a delay of up to a second. */
    async verify(value: string): Promise<Principal | undefined> {
      const at = now();
      const digest = digestOf(value);
      const entry = known.get(digest, at.getTime()) ?? (await read(digest, at));
      if (!entry || !isRunning(entry.session, at) || !isUsable(entry.key, at)) return undefined;
      lastUse.touch(digest, at);
      return entry.principal;
    },

    async signOut(value: string, requestId?: string): Promise<void> {
      const found = await store.findSession(db, hashOf(value));
      if (!found || found.session.revokedAt) return;
      const { keyId } = found.session;
      await db.write(async (tx) => {
        const at = now();
        if (!(await store.revokeSession(tx, hashOf(value), at))) return;
        await appendAudit(tx, { at, actor: { keyId, requestId }, action: "session.end", target: keyId });
      });
      forget(value);
    },

    /**
     * Ends every session of a key: immediately in this process, within a second in others. Throws not_found, and
     * insufficient_role unless the actor is an admin.
     */
    async endAll(actor: Actor, keyId: string): Promise<void> {
      assertAdmin(actor);
      const at = now();
      await db.write(async (tx) => {
        if (!(await findKey(tx, keyId))) throw noSuchKey(keyId);
        const ended = await store.revokeSessions(tx, keyId, at);
        const detail = { sessions: ended };
        await appendAudit(tx, { at, actor: actor.keyId, action: "session.end_all", target: keyId, detail });
      });
      known.drop(({ key }) => key.id === keyId);
    },

    /** Writes the times at which sessions were last seen; normally they are written once a minute. */
    flush: () => lastUse.flush(),
    close: () => lastUse.close(),
  };
};

export type SessionService = ReturnType<typeof createSessions>;

interface Known {
  /** SHA-256 of the cookie's value, in base64. */
  digest: string;
  session: store.SessionRow;
  key: KeyRow;
  principal: Principal;
}

/** 256 random bits, encoded for cookies and links. */
const randomValue = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");

const isRunning = ({ revokedAt, expiresAt, lastSeenAt }: store.SessionRow, at: Date): boolean =>
  !revokedAt && expiresAt > at && at.getTime() - lastSeenAt.getTime() < IDLE_MS;

const noSuchKey = (keyId: string) => new AppError("not_found", `Key ${keyId} not found.`);

const uselessToken = () =>
  new AppError(
    "invalid_api_key",
    "This sign-in link was already used or has expired. Create a new one with `bun run keys sign-in-link`, or use a key.",
  );
