import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { listAudit } from "../../db/audit";
import { type Db, openDb } from "../../db/client";
import { findKey } from "../../db/keys";
import { migrate } from "../../db/migrate";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { problemOf, withDatabaseFile } from "../../tests/db/temporary";
import type { CreateKey } from "./contract";
import { hashOf, newKeyId } from "./format";
import { createKeys, type KeysService, LOCAL_ACTOR } from "./service";

const START = new Date("2026-11-23T12:00:00.000Z").getTime();
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HOUR = { grace_seconds: 3600 };

let db: Db;
let timeMs: number;
let keys: KeysService;

const now = () => new Date(timeMs);
const open = (adminKey?: string) => createKeys({ db, config: defaultConfig({ gateway: { adminKey } }), now });
const bearer = (key: string) => `Bearer ${key}`;
const verifyWith = async (service: KeysService, key: string) => service.verify(bearer(key));
const refusalOf = async (key: string, service = keys) => (await problemOf(verifyWith(service, key))).message;

beforeEach(async () => {
  timeMs = START;
  db = await openDb({ url: ":memory:" }, silentLog());
  await migrate(db);
  keys = open();
});
afterEach(async () => {
  await keys.close();
  await db.close();
});

const createMember = () => keys.create(LOCAL_ACTOR, { name: "ci-bot", role: "member", requests_per_minute: 120 });
const createAdmin = (name = "root") => keys.create(LOCAL_ACTOR, { name, role: "admin" });

test("a new key has its name and role, and the configured limits unless it has its own", async () => {
  const { key, id } = await createMember();
  expect(await keys.verify(bearer(key))).toEqual({
    keyId: id,
    keyName: "ci-bot",
    role: "member",
    allowedModels: undefined,
    limits: {
      requestsPerMinute: 120,
      parallelRequests: 64,
      tokensPerMinute: null,
      budgets: [],
      models: [],
      observeOnly: false,
      onStoreLoss: "local",
      account: id,
    },
    contentLogging: true,
    logBodies: false,
    via: "key",
  });
});

test("a key verified within the last second needs no database read, and an older one does", async () => {
  const { key } = await createMember();
  await keys.verify(bearer(key));
  timeMs += 999;
  expect(keys.verify(bearer(key))).not.toBeInstanceOf(Promise);
  timeMs += 1;
  expect(keys.verify(bearer(key))).toBeInstanceOf(Promise);
});

test("setting the clock back does not keep a key alive", async () => {
  const { key } = await createMember();
  await keys.verify(bearer(key));
  timeMs -= HOUR_MS;
  expect(keys.verify(bearer(key))).toBeInstanceOf(Promise);
});

test("a missing key is missing_api_key, and a wrong one is invalid_api_key", async () => {
  const kinds = await Promise.all(
    [undefined, "", "Basic abc", "Bearer ", "Bearer gw_nope", bearer((await createMember()).key.slice(0, -1))].map(
      async (header) => (await problemOf(Promise.try(() => keys.verify(header)))).kind,
    ),
  );
  expect(kinds).toEqual([
    "missing_api_key",
    "missing_api_key",
    "invalid_api_key",
    "invalid_api_key",
    "invalid_api_key",
    "invalid_api_key",
  ]);
});

test("K2: a string that isn't a key is rejected without a database read", async () => {
  await db.close();
  expect(() => keys.verify(`Bearer gw_${"0".repeat(12)}_${"0".repeat(49)}`)).toThrow("This API key does not exist.");
  db = await openDb({ url: ":memory:" }, silentLog());
});

test("K4: a revoked key is rejected immediately, and after a second in another process", async () => {
  const { key, id } = await createMember();
  const elsewhere = open();
  await keys.verify(bearer(key));
  await elsewhere.verify(bearer(key));
  await keys.revoke(LOCAL_ACTOR, id);
  expect(await refusalOf(key)).toContain("was revoked");
  timeMs += 1000;
  expect(await refusalOf(key, elsewhere)).toContain("was revoked");
  await elsewhere.close();
});

test("K4: the error for an expired key says when it expired, even while the key is cached", async () => {
  const expires_at = new Date(START + 500).toISOString();
  const { key } = await keys.create(LOCAL_ACTOR, { name: "short", role: "viewer", expires_at });
  await keys.verify(bearer(key));
  timeMs += 500;
  expect(await refusalOf(key)).toContain("expired at 2026-11-23T12:00:00.500Z");
});

test("K4: an expired key can't be rotated, because the new key would be expired too, until it gets a later expiry", async () => {
  const expires_at = new Date(START + 500).toISOString();
  const { id } = await keys.create(LOCAL_ACTOR, { name: "short", role: "viewer", expires_at });
  timeMs += 500;
  const refused = await problemOf(keys.rotate(LOCAL_ACTOR, id, HOUR));
  expect([refused.kind, refused.message]).toEqual([
    "conflict",
    'The key "short" expired at 2026-11-23T12:00:00.500Z. Change its expires_at to a later time, or create a new key.',
  ]);
  expect((await keys.list({})).data).toHaveLength(1);
  await keys.update(LOCAL_ACTOR, id, { expires_at: null });
  await keys.verify(bearer((await keys.rotate(LOCAL_ACTOR, id, HOUR)).key));
});

test("K4: a rotated key and its successor both work until the grace period ends", async () => {
  const old = await createMember();
  const fresh = await keys.rotate(LOCAL_ACTOR, old.id, HOUR);
  expect(fresh).toMatchObject({
    name: "ci-bot",
    role: "member",
    requests_per_minute: 120,
    rotated_from: old.id,
  });
  timeMs += HOUR_MS - 1;
  await keys.verify(bearer(old.key));
  await keys.verify(bearer(fresh.key));
  timeMs += 1;
  expect(await refusalOf(old.key)).toContain("expired");
  await keys.verify(bearer(fresh.key));
});

test.each([
  ["never", null],
  ["in a day", new Date(START + DAY_MS).toISOString()],
])("a key that is rotated again in its grace period passes on its own expiry: %s", async (_, expires_at) => {
  const old = await keys.create(LOCAL_ACTOR, { name: "ci-bot", role: "member", expires_at });
  const lost = await keys.rotate(LOCAL_ACTOR, old.id, HOUR);
  await keys.revoke(LOCAL_ACTOR, lost.id);
  timeMs += 1000;
  const fresh = await keys.rotate(LOCAL_ACTOR, old.id, HOUR);
  expect([lost.expires_at, fresh.expires_at]).toEqual([expires_at, expires_at]);
  await keys.rotate(LOCAL_ACTOR, fresh.id, HOUR);
  expect((await keys.rotate(LOCAL_ACTOR, old.id, HOUR)).expires_at).toBe(expires_at);
});

test("a rotated key inherits the old key's settings, but not its last use, its revocation or its predecessor", async () => {
  const settings = {
    name: "ci-bot",
    role: "member" as const,
    requests_per_minute: 120,
    parallel_requests: 4,
    tokens_per_minute: 1000,
    budgets: [{ unit: "gpu_seconds", amount: 0.5, window: "day" } as const],
    model_limits: [{ model: "fake-model", parallel_requests: 2 }],
    observe_only: true,
    on_store_loss: "refuse" as const,
    allowed_models: ["fake-model"],
    allowed_indexes: ["handbook"],
    content_logging: true,
    log_bodies: true,
    expires_at: new Date(START + DAY_MS).toISOString(),
  };
  const first = await keys.create(LOCAL_ACTOR, settings);
  const old = await keys.rotate(LOCAL_ACTOR, first.id, HOUR);
  await keys.verify(bearer(old.key));
  await keys.flush();
  timeMs += 1;
  const fresh = await keys.rotate(LOCAL_ACTOR, old.id, HOUR);
  await keys.revoke(LOCAL_ACTOR, old.id);
  expect((await keys.get(old.id)).last_used_at).not.toBeNull();
  // Lists every column. For a new one, decide whether a rotated key inherits it.
  expect(await findKey(db, fresh.id)).toEqual({
    id: fresh.id,
    name: settings.name,
    role: settings.role,
    secretHash: hashOf(fresh.key),
    isBootstrap: false,
    createdAt: now(),
    createdBy: LOCAL_ACTOR.keyId,
    expiresAt: new Date(settings.expires_at),
    revokedAt: null,
    lastUsedAt: null,
    rotatedFrom: old.id,
    requestsPerMinute: settings.requests_per_minute,
    parallelRequests: settings.parallel_requests,
    tokensPerMinute: settings.tokens_per_minute,
    budgets: settings.budgets,
    modelLimits: settings.model_limits,
    observeOnly: settings.observe_only,
    onStoreLoss: settings.on_store_loss,
    limitAccount: first.id,
    allowedModels: settings.allowed_models,
    allowedIndexes: settings.allowed_indexes,
    contentLogging: settings.content_logging,
    logBodies: settings.log_bodies,
  });
});

test("the successor of a rotated key is the newest one that was not revoked", async () => {
  const [old, other] = [await createMember(), await createMember()];
  const successor = async () => Object.fromEntries(await keys.successors([old.id, other.id]));
  expect(await successor()).toEqual({});
  const first = await keys.rotate(LOCAL_ACTOR, old.id, HOUR);
  timeMs += 1;
  const second = await keys.rotate(LOCAL_ACTOR, old.id, HOUR);
  expect(await successor()).toEqual({ [old.id]: second.id });
  await keys.revoke(LOCAL_ACTOR, second.id);
  expect(await successor()).toEqual({ [old.id]: first.id });
  await keys.revoke(LOCAL_ACTOR, first.id);
  expect(await successor()).toEqual({});
});

test("K4: the last use is written by the flush, not by the request", async () => {
  const { key, id } = await createMember();
  for (let n = 0; n < 3; n++) {
    timeMs += 10;
    await keys.verify(bearer(key));
  }
  expect((await keys.get(id)).last_used_at).toBeNull();
  await keys.flush();
  expect((await keys.get(id)).last_used_at).toBe(new Date(START + 30).toISOString());
});

test("K1: no database file contains the key", async () => {
  await withDatabaseFile(async (file) => {
    const stored = await openDb({ url: `file:${file}` }, silentLog());
    await migrate(stored);
    const service = createKeys({ db: stored, config: defaultConfig(), now });
    const { created = "" } = await service.bootstrap();
    const { key, id } = await service.create(LOCAL_ACTOR, { name: "ci", role: "member" });
    const rotated = await service.rotate(LOCAL_ACTOR, id, HOUR);
    await service.verify(bearer(key));
    await service.close();
    for (const name of await readdir(dirname(file))) {
      const bytes = Buffer.from(await Bun.file(join(dirname(file), name)).arrayBuffer());
      for (const secret of [created, key, rotated.key]) {
        expect(bytes.includes(secret)).toBe(false);
        expect(bytes.includes(secret.slice(16))).toBe(false);
      }
    }
    await stored.close();
  });
});

test("only an admin can change keys", async () => {
  const { id } = await createMember();
  const editor = { keyId: "key_editor", role: "editor" } as const;
  const attempts = [
    keys.create(editor, { name: "more", role: "admin" }),
    keys.update(editor, id, { role: "admin" }),
    keys.rotate(editor, id, {}),
    keys.revoke(editor, id),
  ];
  const kinds = await Promise.all(attempts.map(async (attempt) => (await problemOf(attempt)).kind));
  expect(new Set(kinds)).toEqual(new Set(["insufficient_role"]));
});

test("the last admin key can't be revoked, demoted or set to expire; with another one it can", async () => {
  const last = await createAdmin();
  await keys.create(LOCAL_ACTOR, {
    name: "soon over",
    role: "admin",
    expires_at: new Date(START + HOUR_MS).toISOString(),
  });
  const refused = [
    keys.revoke(LOCAL_ACTOR, last.id),
    keys.update(LOCAL_ACTOR, last.id, { role: "editor" }),
    keys.update(LOCAL_ACTOR, last.id, { expires_at: new Date(START + DAY_MS).toISOString() }),
  ];
  for (const attempt of refused) {
    const problem = await problemOf(attempt);
    expect([problem.kind, problem.message]).toEqual(["conflict", expect.stringContaining("Create another admin key")]);
  }
  await createAdmin("second");
  expect((await keys.revoke(LOCAL_ACTOR, last.id)).status).toBe("revoked");
});

test("if two admins revoke each other at the same time, one key remains", async () => {
  const [one, two] = [await createAdmin("one"), await createAdmin("two")];
  const outcomes = await Promise.allSettled([keys.revoke(LOCAL_ACTOR, one.id), keys.revoke(LOCAL_ACTOR, two.id)]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});

test("a change applies to the next request in this process", async () => {
  const { key, id } = await createMember();
  await keys.verify(bearer(key));
  await keys.update(LOCAL_ACTOR, id, { requests_per_minute: 5, allowed_models: ["small"] });
  expect(await keys.verify(bearer(key))).toMatchObject({
    limits: { requestsPerMinute: 5 },
    allowedModels: ["small"],
  });
});

test("every change is in the audit log with its author, and no secret", async () => {
  const { key, id } = await createMember();
  await keys.update(LOCAL_ACTOR, id, { name: "renamed" });
  await keys.rotate(LOCAL_ACTOR, id, HOUR);
  await keys.revoke({ keyId: "key_boss", role: "admin" }, id);
  const log = (await listAudit(db, id, 10)).reverse();
  expect(log.map(({ action, actor }) => `${action} by ${actor}`)).toEqual([
    "key.create by cli",
    "key.update by cli",
    "key.rotate by cli",
    "key.revoke by key_boss",
  ]);
  expect(JSON.stringify(log)).not.toContain(key.slice(16));
});

test("an unknown key is not_found, and a revoked key stays revoked", async () => {
  expect((await problemOf(keys.get("key_none"))).kind).toBe("not_found");
  expect((await problemOf(keys.revoke(LOCAL_ACTOR, "key_none"))).kind).toBe("not_found");
  const { id } = await createMember();
  await keys.revoke(LOCAL_ACTOR, id);
  expect((await keys.revoke(LOCAL_ACTOR, id)).status).toBe("revoked");
  expect((await problemOf(keys.rotate(LOCAL_ACTOR, id, {}))).kind).toBe("conflict");
  expect((await problemOf(keys.update(LOCAL_ACTOR, id, { name: "again" }))).kind).toBe("conflict");
});

test("a page continues where the previous one ended", async () => {
  for (let n = 0; n < 5; n++) {
    timeMs += 1;
    await keys.create(LOCAL_ACTOR, { name: `key ${n}`, role: "viewer" });
  }
  const first = await keys.list({ limit: 3 });
  const second = await keys.list({ limit: 3, after: first.next_cursor ?? "" });
  expect([...first.data, ...second.data].map(({ name }) => name)).toEqual([
    "key 4",
    "key 3",
    "key 2",
    "key 1",
    "key 0",
  ]);
  expect([first.has_more, second.has_more]).toEqual([true, false]);
  expect((await problemOf(keys.list({ limit: 3, after: "key_none" }))).detail.param).toBe("after");
});

test("an id creates one key: a second use is rejected, even concurrently and for a rotated key", async () => {
  const id = newKeyId();
  const create = () => keys.create(LOCAL_ACTOR, { name: "from a form", role: "member" }, { id });
  const results = await Promise.allSettled([create(), create()]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect((await problemOf(create())).kind).toBe("conflict");
  expect((await problemOf(keys.rotate(LOCAL_ACTOR, id, {}, { id }))).kind).toBe("conflict");
  const successor = await keys.rotate(LOCAL_ACTOR, id, HOUR, { id: newKeyId() });
  expect(await keys.verify(bearer(successor.key))).toMatchObject({ keyId: successor.id, keyName: "from a form" });
  expect((await keys.get(id)).status).toBe("active");
});

test("keys can be sorted and paged, and the total is counted", async () => {
  for (const [name, expiresInDays] of [
    ["beta", 2],
    ["Alpha", undefined],
    ["gamma", 1],
  ] as const) {
    timeMs += 1000;
    const expires_at = expiresInDays && new Date(timeMs + expiresInDays * DAY_MS).toISOString();
    await keys.create(LOCAL_ACTOR, { name, role: "member", expires_at });
  }
  const list = (by: "name" | "created" | "expires", isDescending: boolean, pageLength = 10, page = 1) =>
    keys.listNumbered({ sort: { by, isDescending }, pageLength, page });
  const names = async (...query: Parameters<typeof list>) =>
    (await list(...query)).data.map(({ name }) => name).join(" ");
  expect(await names("name", false)).toBe("Alpha beta gamma");
  expect(await names("name", true)).toBe("gamma beta Alpha");
  expect(await names("created", true)).toBe("gamma Alpha beta");
  expect(await names("expires", false)).toBe("gamma beta Alpha");
  expect(await names("name", false, 2, 2)).toBe("gamma");
  const last = await list("name", false, 2, 2);
  expect(last).toMatchObject({ page: 2, pageLength: 2, total: 3 });
  expect(await list("name", false, 2, 99)).toEqual(last);
});

test.each([
  [
    { budgets: [{ unit: "tokens", amount: 1.5, window: "day" }] },
    "budgets.0.amount",
    "A budget of tokens must be a whole number, not 1.5.",
  ],
  [
    {
      budgets: [
        { unit: "tokens", amount: 1, window: "day" },
        { unit: "tokens", amount: 2, window: "day", alignment: "calendar" },
      ],
    },
    "budgets.1",
    "There are two budgets for tokens per day, calendar. Keep one of them.",
  ],
  [
    { model_limits: [{ model: "a", budgets: [{ unit: "money", amount: 1, window: "month" }] }] },
    "model_limits.0.budgets.0.unit",
    "GROUNDWIRE_GPU_PRICE_PER_HOUR",
  ],
  [{ model_limits: [{ model: "a" }, { model: "a" }] }, "model_limits.1.model", "a is listed twice."],
] satisfies [Partial<CreateKey>, string, string][])(
  "limits that contradict each other are rejected: %j",
  async (limits, param, message) => {
    const key = await createMember();
    for (const attempt of [
      keys.create(LOCAL_ACTOR, { name: "ci-bot", role: "member", ...limits }),
      keys.update(LOCAL_ACTOR, key.id, limits),
    ]) {
      const problem = await problemOf(attempt);
      expect([problem.kind, problem.detail.param, problem.message]).toEqual([
        "invalid_request",
        param,
        expect.stringContaining(message),
      ]);
    }
  },
);
