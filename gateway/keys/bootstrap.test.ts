import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Db } from "../../db/client";
import { defaultConfig } from "../../lib/settings";
import { problemOf, temporaryDb } from "../../tests/db/temporary";
import { createKeys, LOCAL_ACTOR } from "./service";

const FIRST = "a passphrase of automation, 32+ characters";
const SECOND = "another passphrase of automation, just as long";

let db: Db;
let timeMs: number;
beforeEach(async () => {
  db = await temporaryDb();
  timeMs = Date.UTC(2026, 10, 23);
});
afterEach(() => db.close());

const start = async (adminKey?: string) => {
  timeMs += 1000;
  const keys = createKeys({ db, config: defaultConfig({ gateway: { adminKey } }), now: () => new Date(timeMs) });
  return { keys, ...(await keys.bootstrap()) };
};
const roleOf = async (keys: ReturnType<typeof createKeys>, key: string) => (await keys.verify(`Bearer ${key}`)).role;
const refused = async (keys: ReturnType<typeof createKeys>, key: string) =>
  (await problemOf(Promise.try(() => keys.verify(`Bearer ${key}`)))).kind;

test("the first start creates an admin key, the second doesn't", async () => {
  const first = await start();
  expect(await roleOf(first.keys, first.created ?? "")).toBe("admin");
  expect((await start()).created).toBeUndefined();
});

test("if several processes start together, only one creates the key", async () => {
  const started = await Promise.all([start(), start(), start()]);
  expect(started.filter(({ created }) => created !== undefined)).toHaveLength(1);
});

test("the configured admin key may have any format, and no other key is created", async () => {
  const { keys, created } = await start(FIRST);
  expect(created).toBeUndefined();
  expect(await roleOf(keys, FIRST)).toBe("admin");
  expect((await keys.list({ limit: 10 })).data).toMatchObject([{ id: "key_bootstrap", is_bootstrap: true }]);
});

test("a changed configured key replaces the old one", async () => {
  await start(FIRST);
  const { keys } = await start(SECOND);
  expect(await roleOf(keys, SECOND)).toBe("admin");
  expect(await refused(keys, FIRST)).toBe("invalid_api_key");
  expect((await keys.list({ limit: 10 })).data).toHaveLength(1);
});

test("a configured key that is removed stops working, and a generated key replaces it", async () => {
  await start(FIRST);
  const { keys, created } = await start();
  expect(await refused(keys, FIRST)).toBe("invalid_api_key");
  expect(await roleOf(keys, created ?? "")).toBe("admin");
  const again = await start(FIRST);
  expect(await roleOf(again.keys, FIRST)).toBe("admin");
});

test("a configured key can't be changed through the API", async () => {
  const { keys } = await start(FIRST);
  for (const attempt of [
    keys.revoke(LOCAL_ACTOR, "key_bootstrap"),
    keys.rotate(LOCAL_ACTOR, "key_bootstrap", {}),
    keys.update(LOCAL_ACTOR, "key_bootstrap", { role: "viewer" }),
  ]) {
    const problem = await problemOf(attempt);
    expect([problem.kind, problem.message]).toEqual(["conflict", expect.stringContaining("GROUNDWIRE_ADMIN_KEY")]);
  }
});

test("the configured key may be an issued key if that is an active admin key", async () => {
  const { keys, created } = await start();
  const again = await start(created);
  expect(await roleOf(again.keys, created ?? "")).toBe("admin");
  const { key } = await keys.create(LOCAL_ACTOR, { name: "reader", role: "viewer" });
  expect((await problemOf(start(key))).detail.param).toBe("GROUNDWIRE_ADMIN_KEY");
});
