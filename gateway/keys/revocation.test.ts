import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { type Composition, compose } from "../compose";

const ADMIN_KEY = "revocation-tests-admin-key-0123456789abcdef";
let dataDir: string;
let here: Composition;
let there: Composition;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "groundwire-revocation-"));
  const config = defaultConfig({
    dataDir,
    gateway: { adminKey: ADMIN_KEY, nodes: ["http://127.0.0.1:9"], requestsPerMinute: 100_000 },
  });
  here = await compose(config, silentLog());
  there = await compose(config, silentLog());
});
afterAll(async () => {
  await here.close(0);
  await there.close(0);
  await rm(dataDir, { recursive: true, force: true });
});

const send = (gateway: Composition, method: string, path: string, key: string, body?: object) =>
  gateway.app.handle(
    new Request(`http://localhost${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: body && JSON.stringify(body),
    }),
  );

test("K4: a revoked key is rejected on its gateway immediately, and on another within a second", async () => {
  const created = await send(here, "POST", "/v1/keys", ADMIN_KEY, { name: "leaving", role: "member" });
  const { id, key }: { id: string; key: string } = JSON.parse(await created.text());
  const statusOn = async (gateway: Composition) => (await send(gateway, "GET", "/v1/auth/me", key)).status;
  expect([await statusOn(here), await statusOn(there)]).toEqual([200, 200]);

  expect((await send(here, "DELETE", `/v1/keys/${id}`, ADMIN_KEY)).status).toBeLessThan(300);
  const revokedAt = performance.now();
  expect(await statusOn(here)).toBe(401);
  // The other gateway caches a key longest if it is used all the time.
  while ((await statusOn(there)) === 200) await Bun.sleep(5);
  expect(performance.now() - revokedAt).toBeLessThan(1100);
});
