import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { sql } from "drizzle-orm";
import type { Db } from "../../db/client";
import { defaultConfig } from "../../lib/settings";
import { problemOf, temporaryDb } from "../../tests/db/temporary";
import type { KeyWithSecret } from "../keys/contract";
import { createKeys, type KeysService, LOCAL_ACTOR } from "../keys/service";
import { ABSOLUTE_MS, createSessions, IDLE_MS, type SessionService } from "./service";

const MINUTE_MS = 60_000;

let db: Db;
let timeMs: number;
let keys: KeysService;
let sessions: SessionService;
let issued: KeyWithSecret;
const now = () => new Date(timeMs);

beforeEach(async () => {
  timeMs = Date.UTC(2026, 10, 23, 12);
  db = await temporaryDb();
  keys = createKeys({ db, config: defaultConfig(), now });
  sessions = createSessions({ db, keys, now });
  issued = await keys.create(LOCAL_ACTOR, { name: "ada", role: "editor" });
});
afterEach(async () => {
  await sessions.close();
  await keys.close();
  await db.close();
});

const signIn = async () => (await sessions.signIn(issued.key)).cookie;
const isSignedIn = async (cookie: string) => (await sessions.verify(cookie)) !== undefined;

test("signing in with a key starts a session of the same principal", async () => {
  const { cookie, principal } = await sessions.signIn(issued.key);
  expect(principal).toMatchObject({ keyId: issued.id, role: "editor", via: "session" });
  expect(await sessions.verify(cookie)).toEqual(principal);
});

test("a wrong key doesn't start a session, and an unknown cookie doesn't belong to one", async () => {
  expect((await problemOf(sessions.signIn("gw_wrong"))).kind).toBe("invalid_api_key");
  expect(await sessions.verify("made up")).toBeUndefined();
  expect(await sessions.verify("")).toBeUndefined();
});

test("W2: the cookie has 256 random bits, and the database only contains its hash", async () => {
  const cookies = await Promise.all(Array.from({ length: 20 }, signIn));
  expect(new Set(cookies).size).toBe(20);
  expect(Buffer.from(cookies[0] ?? "", "base64url")).toHaveLength(32);
  const [main] = await db.all<{ file: string }>(sql`PRAGMA database_list`);
  const folder = dirname(main?.file ?? "");
  for (const name of await readdir(folder)) {
    const bytes = Buffer.from(await Bun.file(`${folder}/${name}`).arrayBuffer());
    for (const cookie of cookies) expect(bytes.includes(cookie)).toBe(false);
  }
});

test("W2: signing in again creates a new session and ends the old one", async () => {
  const before = await signIn();
  expect(await isSignedIn(before)).toBe(true);
  const { cookie } = await sessions.signIn(issued.key, { previous: before });
  expect(cookie).not.toBe(before);
  expect([await isSignedIn(before), await isSignedIn(cookie)]).toEqual([false, true]);
});

test("W2: a session ends after the idle time without a request", async () => {
  const cookie = await signIn();
  timeMs += IDLE_MS - MINUTE_MS;
  expect(await isSignedIn(cookie)).toBe(true);
  await sessions.flush();
  timeMs += IDLE_MS - MINUTE_MS;
  expect(await isSignedIn(cookie)).toBe(true);
  await sessions.flush();
  timeMs += IDLE_MS;
  expect(await isSignedIn(cookie)).toBe(false);
});

test("W2: a session ends after its maximum lifetime, however much it is used", async () => {
  const cookie = await signIn();
  const endMs = timeMs + ABSOLUTE_MS;
  while (timeMs + IDLE_MS / 2 < endMs) {
    timeMs += IDLE_MS / 2;
    expect(await isSignedIn(cookie)).toBe(true);
    await sessions.flush();
  }
  timeMs = endMs;
  expect(await isSignedIn(cookie)).toBe(false);
});

test("signing out ends the session immediately in this process", async () => {
  const cookie = await signIn();
  await sessions.verify(cookie);
  await sessions.signOut(cookie);
  expect(await isSignedIn(cookie)).toBe(false);
});

test("a session ends within a second after its key is revoked or expires", async () => {
  const cookie = await signIn();
  await sessions.verify(cookie);
  await keys.revoke(LOCAL_ACTOR, issued.id);
  timeMs += 1000;
  expect(await isSignedIn(cookie)).toBe(false);

  const expires_at = new Date(timeMs + MINUTE_MS).toISOString();
  const short = await keys.create(LOCAL_ACTOR, { name: "short", role: "viewer", expires_at });
  const session = await sessions.signIn(short.key);
  timeMs += MINUTE_MS - 1;
  expect(await isSignedIn(session.cookie)).toBe(true);
  timeMs += 1;
  expect(await isSignedIn(session.cookie)).toBe(false);
});

test("W2: an admin ends every session of a key, and the key and other keys' sessions still work", async () => {
  const cookies = [await signIn(), await signIn()];
  const other = await keys.create(LOCAL_ACTOR, { name: "other", role: "viewer" });
  const { cookie: kept } = await sessions.signIn(other.key);
  for (const cookie of cookies) expect(await isSignedIn(cookie)).toBe(true);
  await sessions.endAll(LOCAL_ACTOR, issued.id);
  for (const cookie of cookies) expect(await isSignedIn(cookie)).toBe(false);
  expect([await isSignedIn(kept), await isSignedIn(await signIn())]).toEqual([true, true]);
  expect((await problemOf(sessions.endAll(LOCAL_ACTOR, "key_none"))).kind).toBe("not_found");
  const editor = { keyId: issued.id, role: "editor" } as const;
  expect((await problemOf(sessions.endAll(editor, other.id))).kind).toBe("insufficient_role");
});

test("a lowered role applies to the session within a second", async () => {
  const cookie = await signIn();
  await sessions.verify(cookie);
  await keys.update(LOCAL_ACTOR, issued.id, { role: "viewer" });
  timeMs += 1000;
  expect(await sessions.verify(cookie)).toMatchObject({ role: "viewer" });
});

test("a sign-in token works once, even if two requests use it at the same time", async () => {
  const { token } = await sessions.createSignInToken(issued.id);
  const outcomes = await Promise.allSettled([sessions.redeem(token), sessions.redeem(token)]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const problem = await problemOf(sessions.redeem(token));
  expect([problem.kind, problem.message]).toEqual(["invalid_api_key", expect.stringContaining("already used")]);
});

test("a sign-in token expires, and ends with its key", async () => {
  const late = await sessions.createSignInToken(issued.id, MINUTE_MS);
  timeMs += MINUTE_MS;
  expect((await problemOf(sessions.redeem(late.token))).kind).toBe("invalid_api_key");
  const { token } = await sessions.createSignInToken(issued.id);
  await keys.revoke(LOCAL_ACTOR, issued.id);
  expect((await problemOf(sessions.redeem(token))).kind).toBe("invalid_api_key");
  expect((await problemOf(sessions.createSignInToken(issued.id))).kind).toBe("invalid_api_key");
  expect((await problemOf(sessions.createSignInToken("key_none"))).kind).toBe("not_found");
});

test("an unknown token or cookie starts no write transaction", async () => {
  const cookie = await signIn();
  await sessions.signOut(cookie);
  const write = spyOn(db, "write");
  await problemOf(sessions.redeem("made up"));
  await sessions.signOut("made up");
  await sessions.signOut(cookie);
  expect(write).not.toHaveBeenCalled();
});

test("sessions and tokens that ended a month ago are deleted", async () => {
  await signIn();
  timeMs += ABSOLUTE_MS + 31 * 24 * 60 * MINUTE_MS;
  await sessions.verify(await signIn());
  await sessions.flush();
  expect(await db.all(sql`SELECT count(*) AS n FROM sessions`)).toEqual([{ n: 1 }]);
});
