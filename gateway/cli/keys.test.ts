import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Db, databaseOptions, openDb } from "../../db/client";
import { migrate } from "../../db/migrate";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { problemOf } from "../../tests/db/temporary";
import { createKeys, type KeysService } from "../keys/service";
import { createSessions } from "../sessions/service";

// Each command runs in a separate process.
setDefaultTimeout(30_000);

let dataDir: string;
let db: Db;
let keys: KeysService;
let timeMs = Date.now();

/** The gateway's services, which have the database open while the commands run. */
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "groundwire-cli-"));
  const config = defaultConfig({ dataDir });
  db = await openDb(databaseOptions(config), silentLog());
  await migrate(db);
  keys = createKeys({ db, config, now: () => new Date(timeMs) });
});
afterAll(async () => {
  await keys.close();
  await db.close();
  await rm(dataDir, { recursive: true, force: true });
});

const run = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "keys.ts"), ...args], {
    cwd: dataDir,
    env: { ...process.env, GROUNDWIRE_DATA_DIR: dataDir, NO_COLOR: "1" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, out, err };
};

const createJson = async (...args: string[]): Promise<{ id: string; key: string; [field: string]: unknown }> =>
  JSON.parse((await run("create", "--json", ...args)).out);

test("a key created while a gateway runs works there immediately, and its secret is shown only once", async () => {
  const created = await createJson("--name", "ci-bot", "--expires", "90d", "--models", "a,b", "--no-content");
  expect(created).toMatchObject({
    role: "member",
    allowed_models: ["a", "b"],
    content_logging: false,
    log_bodies: false,
    created_by: "cli",
  });
  expect(await createJson("--name", "logged", "--log-bodies")).toMatchObject({ log_bodies: true });
  expect((await run("create", "--name", "both", "--log-bodies", "--no-content")).err).toContain("content_logging");
  expect(await keys.verify(`Bearer ${created.key}`)).toMatchObject({ keyId: created.id, keyName: "ci-bot" });
  const list = await run("list");
  expect(list.out).toContain(`${created.id}  member   active`);
  expect(list.out).not.toContain(created.key.slice(16));
});

test("a key revoked while a gateway runs is rejected there within a second", async () => {
  const { id, key } = await createJson("--name", "leaked");
  await keys.verify(`Bearer ${key}`);
  expect((await run("revoke", id)).out).toContain("revoked");
  timeMs += 1000;
  expect((await problemOf(Promise.try(() => keys.verify(`Bearer ${key}`)))).message).toContain("was revoked");
});

test("rotation creates a second key", async () => {
  const { id, key } = await createJson("--name", "service");
  const next = JSON.parse((await run("rotate", id, "--grace-seconds", "60", "--json")).out);
  expect(next.rotated_from).toBe(id);
  await keys.verify(`Bearer ${key}`);
  await keys.verify(`Bearer ${next.key}`);
});

test("a sign-in link signs in once", async () => {
  expect((await run("sign-in-link")).err).toContain("There is no active admin key");
  const { id } = await createJson("--name", "root", "--role", "admin");
  const { url, key_id } = JSON.parse((await run("sign-in-link", "--json")).out);
  expect(key_id).toBe(id);
  const sessions = createSessions({ db, keys });
  const token = new URL(url).searchParams.get("token") ?? "";
  expect((await sessions.redeem(token)).principal.role).toBe("admin");
  expect((await problemOf(sessions.redeem(token))).kind).toBe("invalid_api_key");
  await sessions.close();
});

test("wrong usage prints the problem and exits with 64, and an unknown key exits with 1", async () => {
  const cases: [args: string[], code: number, words: string][] = [
    [[], 64, "No command given"],
    [["crate"], 64, 'Unknown command "crate"'],
    [["create"], 64, "--name NAME"],
    [["create", "--name", "x", "--role", "boss"], 64, "role must be"],
    [["create", "--name", "x", "--expires", "soon"], 64, '--expires is "soon"'],
    [["create", "--name", "x", "--expires", "2099-02-30"], 64, '--expires is "2099-02-30"'],
    [["create", "--name", "x", "--parallel", "0"], 64, "parallel_requests must be 1 or more"],
    [["create", "--name", "x", "--tokens-per-minute", "0"], 64, "tokens_per_minute must be 1 or more"],
    [["create", "--nme", "x"], 64, "Unknown option '--nme'."],
    [["create", "Ada"], 64, "keys create doesn't accept Ada."],
    [["list", "active"], 64, "keys list doesn't accept active."],
    [["list", "--role", "admin"], 64, "keys list doesn't accept --role."],
    [["sign-in-link", "--name", "ada"], 64, "keys sign-in-link doesn't accept --name."],
    [["sign-in-link", "key_1", "key_2"], 64, "keys sign-in-link doesn't accept key_2."],
    [["revoke", "key_1", "--grace-seconds", "5"], 64, "keys revoke doesn't accept --grace-seconds."],
    [["revoke"], 64, "The key's id is missing"],
    [["revoke", "key_none"], 1, "Key key_none not found."],
  ];
  for (const [args, code, words] of cases) {
    const result = await run(...args);
    expect([args, result.code, result.err]).toEqual([args, code, expect.stringContaining(words)]);
    expect(result.err).not.toMatch(/ {4}at |positional/);
    expect(result.out).toBe("");
  }
});

test("--help explains every command", async () => {
  const { code, out } = await run("--help");
  expect(code).toBe(0);
  for (const word of ["create", "list", "revoke", "rotate", "sign-in-link"]) expect(out).toContain(word);
});
