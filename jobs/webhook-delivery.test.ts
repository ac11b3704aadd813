import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { isNull } from "drizzle-orm";
import type { Db } from "../db/client";
import { publishEvent } from "../db/outbox";
import { jobs } from "../db/schema";
import { MAX_SCHEDULED } from "../db/schema/webhooks";
import { createAddressRules } from "../gateway/webhooks/addresses";
import { DISABLED_AFTER_MS, longestPauseMs, MAX_ATTEMPTS, pauseAfter } from "../gateway/webhooks/retry-schedule";
import { createSender, type Send } from "../gateway/webhooks/send";
import { createWebhooks, type Webhooks } from "../gateway/webhooks/service";
import { silentLog } from "../lib/log";
import { defaultConfig } from "../lib/settings";
import { temporaryDb, withDatabaseFile } from "../tests/db/temporary";
import { until } from "../tests/until";
import { isSignedWith, WebhookReceiver } from "../tests/webhook-receiver";
import { JobLoop } from "./loop";
import { webhookDelivery } from "./webhook-delivery";

const ADMIN = { keyId: "key_1" };
const OPEN = { allowedNetworks: ["127.0.0.0/8", "::1"], allowsHttp: true };
const config = defaultConfig({ webhooks: { networks: OPEN.allowedNetworks, http: true } });

let db: Db;
let loop: JobLoop | undefined;
let receiver: WebhookReceiver;
let webhooks: Webhooks;
/** Added to the clock of everything in these tests. */
let aheadMs: number;
const now = () => new Date(Date.now() + aheadMs);

beforeEach(async () => {
  aheadMs = 0;
  db = await temporaryDb();
  receiver = new WebhookReceiver();
  webhooks = createWebhooks({ db, config, now });
});
afterEach(async () => {
  await loop?.close(0);
  loop = undefined;
  await receiver.stop();
  await db.close();
});

const senderOf = (settings = OPEN, timeoutMs?: number): Send => createSender(createAddressRules(settings), timeoutMs);

/** Starts a worker. Its pauses are the shortest ones: full jitter begins at 0. */
const work = async ({ send = senderOf(), random = () => 0 }: { send?: Send; random?: () => number } = {}) => {
  const handler = webhookDelivery({ db, send, log: silentLog(), now, random });
  loop = new JobLoop({ db, log: silentLog(), leaseMs: 1000, handlers: [handler], now });
  await loop.open();
  return handler;
};

const create = (url = receiver.url(), events: ["node.up"] | null = null) => webhooks.create(ADMIN, { url, events });

let causes = 0;
const publish = (type: "node.up" | "node.down" = "node.up", cause = `cause ${++causes}`) =>
  db.write((tx) => publishEvent(tx, { type, cause, data: { node: "node-1" } }, now()));

/** The newest delivery of a webhook when it is in this state. */
const reached = async (id: string, state: string) => {
  await until(`the delivery is ${state}`, async () => (await webhooks.deliveries(id, {})).data[0]?.state === state);
  const [newest] = (await webhooks.deliveries(id, {})).data;
  return webhooks.delivery(id, newest?.id ?? "");
};

describe("an event", () => {
  test("is one event and three deliveries if the receiver responds with 500, 500, 200", async () => {
    const { id, secret } = await create();
    receiver.replies = [500, 500];
    expect(await publish("node.up", "one")).toBe(true);
    await work();
    const { attempts, payload, ...delivery } = await reached(id, "delivered");
    expect(attempts.map(({ status, error, response }) => [status, error, response])).toEqual([
      [500, "It responded with 500.", "a 500"],
      [500, "It responded with 500.", "a 500"],
      [200, null, null],
    ]);
    expect(delivery).toMatchObject({ attempt_count: 3, status: 200, error: null, next_attempt_at: null });
    expect(receiver.events).toEqual([payload, payload, payload]);
    expect(payload).toMatchObject({ id: delivery.event_id, type: "node.up", data: { node: "node-1" } });
    for (const request of receiver.received) {
      expect([request.headers["webhook-id"], await isSignedWith(secret, request)]).toEqual([payload.id, true]);
    }
    expect(await webhooks.get(id)).toMatchObject({ failing_since: null, last_delivered_at: expect.any(String) });
  });

  test("is stored once per cause, and reaches the webhooks that receive its type", async () => {
    const all = await create(receiver.url("/all"));
    const some = await create(receiver.url("/some"), ["node.up"]);
    const off = await create(receiver.url("/off"));
    await webhooks.update(ADMIN, off.id, { enabled: false });
    expect([await publish("node.down", "same"), await publish("node.down", "same")]).toEqual([true, false]);
    await publish("node.up");
    await work();
    await reached(all.id, "delivered");
    await reached(some.id, "delivered");
    await until("all have arrived", () => receiver.received.length === 3);
    const paths = receiver.received.map(({ path, body }) => `${path} ${JSON.parse(body).type}`).sort();
    expect(paths).toEqual(["/all node.down", "/all node.up", "/some node.up"]);
  });

  test("is sent again after its worker died during the request, with the same id", async () => {
    const { id } = await create();
    await publish();
    const { promise, resolve } = Promise.withResolvers<Response>();
    receiver.replies = [() => promise];
    await work();
    await until("the first request has arrived", () => receiver.received.length === 1);
    // As if the process had died: its rows stay, and its response is never stored.
    await db.write((tx) => tx.run("UPDATE workers SET id = 'worker_dead', process = '0', host = 'elsewhere'"));
    await db.write((tx) => tx.run("UPDATE tasks SET worker_id = 'worker_dead' WHERE state = 'running'"));
    const { attempts } = await reached(id, "delivered");
    expect(attempts.map(({ status, error }) => [status, error])).toEqual([
      [null, "The jobs worker stopped before the response arrived."],
      [200, null],
    ]);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    resolve(new Response());
  });

  test("fails after the last attempt, and can be sent again with the same id", async () => {
    const { id } = await create();
    receiver.replies = Array.from({ length: MAX_ATTEMPTS }, () => 503);
    await publish();
    await work();
    const failed = await reached(id, "failed");
    expect([failed.attempt_count, failed.next_attempt_at]).toEqual([MAX_ATTEMPTS, null]);
    expect(await webhooks.redeliver(ADMIN, id, failed.id)).toMatchObject({ state: "pending", ended_at: null });
    const again = await reached(id, "delivered");
    expect([again.id, again.attempt_count]).toEqual([failed.id, MAX_ATTEMPTS + 1]);
    expect(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  });

  test("waits for hours, and a sweep creates its job before it is due", async () => {
    const { id } = await create();
    receiver.replies = [new Response(null, { status: 429, headers: { "retry-after": "7200" } })];
    await publish();
    const { sweep } = await work();
    await until("the first attempt has failed", async () => (await webhooks.get(id)).failing_since !== null);
    const [waiting] = (await webhooks.deliveries(id, {})).data;
    expect(Date.parse(waiting?.next_attempt_at ?? "") - Date.now()).toBeGreaterThan(7_190_000);
    await sweep?.();
    expect(receiver.received).toHaveLength(1);
    aheadMs = 7_201_000;
    await sweep?.();
    await reached(id, "delivered");
  });

  test("is not held up by another webhook that doesn't respond", async () => {
    const silent = new WebhookReceiver();
    silent.replyTo = () => new Promise(() => {});
    const stuck = await webhooks.create(ADMIN, { url: silent.url(), events: ["node.down"] });
    const { id } = await create(receiver.url(), ["node.up"]);
    for (let n = 0; n < 40; n++) await publish("node.down");
    await publish("node.up");
    await work();
    await reached(id, "delivered");
    expect(silent.received.length).toBe(8);
    const { data } = await webhooks.deliveries(stuck.id, { limit: 100 });
    const counts = data.map(({ attempt_count }) => attempt_count);
    expect([counts.length, counts.filter((count) => count === 1).length]).toEqual([40, 8]);
    await silent.stop();
  });

  test("waits for its job if many others of its webhook have one; none is lost, and a test event doesn't wait", async () => {
    const EVENTS = 3 * MAX_SCHEDULED;
    const { id } = await create();
    for (let n = 0; n < EVENTS; n++) await publish();
    const live = async () => (await db.select().from(jobs).where(isNull(jobs.endedAt))).length;
    expect(await live()).toBe(MAX_SCHEDULED);
    await webhooks.test(ADMIN, id);
    expect(await live()).toBe(MAX_SCHEDULED + 1);
    await work();
    await until("all events have arrived", () => receiver.received.length === EVENTS + 1);
    await until("none is pending", async () => (await webhooks.deliveries(id, { state: "pending" })).data.length === 0);
    expect(new Set(receiver.received.map(({ body }) => JSON.parse(body).id)).size).toBe(EVENTS + 1);
  });

  test("is deleted with its deliveries after 30 days", async () => {
    const { id } = await create();
    await publish();
    const { sweep } = await work();
    await reached(id, "delivered");
    aheadMs = 31 * 86_400_000;
    await sweep?.();
    expect((await webhooks.deliveries(id, {})).data).toEqual([]);
  });
});

describe("a request", () => {
  const outcomeOf = (url: string, send = senderOf()) =>
    send({ url, headers: { "content-type": "application/json" }, body: "{}" }, new AbortController().signal);

  test("follows no redirect", async () => {
    receiver.replies = [Response.redirect(receiver.url("/elsewhere"), 307)];
    const { status, error } = await outcomeOf(receiver.url());
    expect([status, error]).toEqual([307, expect.stringContaining("redirect (307), which is not followed")]);
    expect(receiver.received.map(({ path }) => path)).toEqual(["/hook"]);
  });

  test("reads only the beginning of an endless response", async () => {
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(4096).fill(120)) });
    receiver.replies = [new Response(endless, { status: 500 })];
    const { status, response } = await outcomeOf(receiver.url());
    expect([status, response]).toEqual([500, "x".repeat(500)]);
  });

  test("stores valid text if a response is cut within a character or isn't text", async () => {
    const pair = "\u{1f600}";
    receiver.replies = [
      new Response(`a${pair.repeat(300)}`, { status: 500 }),
      new Response("a\0b\xff", { status: 500 }),
    ];
    const [cut, strange] = [await outcomeOf(receiver.url()), await outcomeOf(receiver.url())];
    expect([cut.response, strange.response]).toEqual([`a${pair.repeat(249)}\ufffd`, "a\ufffdb\xff"]);
  });

  test("succeeds when the status has arrived, even if the body never ends", async () => {
    const silent = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
    receiver.replies = [new Response(silent)];
    expect(await outcomeOf(receiver.url())).toMatchObject({ status: 200, error: null });
  });

  test("ends after the timeout", async () => {
    receiver.replies = [() => new Promise(() => {})];
    const { status, error } = await outcomeOf(receiver.url(), senderOf(OPEN, 300));
    expect([status, error]).toEqual([null, "No response within 0.3 s."]);
  });

  test.each([
    ["http://127.0.0.1:1/", "The connection was refused."],
    ["http://name.invalid/", "The name could not be resolved."],
    ["https://127.0.0.1:1/", "The connection was refused."],
  ])("says why it failed: %s", async (url, error) => expect((await outcomeOf(url)).error).toBe(error));

  test("is sent only if the certificate is valid for the name", async () => {
    await withDatabaseFile(async (file) => {
      const [key, cert] = [`${file}.key`, `${file}.pem`];
      const fields = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"];
      const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
      await Bun.spawn(["openssl", "req", ...kind, "-keyout", key, "-out", cert, ...fields], { stderr: "ignore" })
        .exited;
      let requests = 0;
      const tls = { key: Bun.file(key), cert: Bun.file(cert) };
      const fetch = () => new Response(`${++requests}`);
      const server = Bun.serve({ hostname: "127.0.0.1", port: 0, tls, fetch });
      const { error } = await outcomeOf(`https://localhost:${server.port}/`);
      expect([error, requests]).toEqual(["The certificate was rejected: self signed certificate.", 0]);
      await server.stop(true);
    });
  });

  test("S2: reaches no private address if the operator doesn't allow it (any more)", async () => {
    const send = senderOf({ allowedNetworks: [], allowsHttp: true });
    for (const host of ["127.0.0.1", "localhost", "2130706433"]) {
      const { error } = await outcomeOf(receiver.url("/", host), send);
      expect([host, error]).toEqual([host, expect.stringContaining("not a public address")]);
    }
    expect((await outcomeOf(receiver.url(), senderOf({ ...OPEN, allowsHttp: false }))).error).toContain("https://");
    expect(receiver.received).toEqual([]);
    expect((await outcomeOf(receiver.url("/", "localhost"))).status).toBe(200);
  });
});

describe("a webhook is disabled", () => {
  test("when it responds with 410, and the other webhooks are notified", async () => {
    await create();
    const gone = new WebhookReceiver();
    gone.replies = [410];
    const { id } = await webhooks.create(ADMIN, { url: gone.url(), description: "old", events: ["node.up"] });
    await webhooks.test(ADMIN, id);
    await work();
    await reached(id, "failed");
    expect(await webhooks.get(id)).toMatchObject({ enabled: false, disabled_reason: "gone" });
    await until("the other webhook knows", () => receiver.received.length > 0);
    const data = { webhook_id: id, description: "old", reason: "gone", failing_since: expect.any(String) };
    expect(receiver.events).toMatchObject([{ type: "webhook.disabled", data }]);
    await expect(webhooks.test(ADMIN, id)).rejects.toThrow("This webhook is disabled. Enable it first.");
    await gone.stop();
  });

  test("after five days in which every attempt failed, and its pending deliveries fail", async () => {
    const { id } = await create();
    receiver.replies = Array.from({ length: 9 }, () => 500);
    await publish();
    await work({ random: () => 1 });
    await until("it is failing", async () => (await webhooks.get(id)).failing_since !== null);
    aheadMs = DISABLED_AFTER_MS - 60_000;
    await publish();
    await until("it failed again", () => receiver.received.length >= 2);
    expect((await webhooks.get(id)).enabled).toBe(true);
    aheadMs = DISABLED_AFTER_MS + 60_000;
    await publish();
    await until("it is disabled", async () => !(await webhooks.get(id)).enabled);
    const { data } = await webhooks.deliveries(id, {});
    expect(new Set(data.map(({ state }) => state))).toEqual(new Set(["failed"]));
    expect(await webhooks.get(id)).toMatchObject({ disabled_reason: "failures" });
    await expect(webhooks.redeliver(ADMIN, id, data[0]?.id ?? "")).rejects.toThrow("Enable it first");
    receiver.replies = [];
    await webhooks.update(ADMIN, id, { enabled: true });
    await webhooks.redeliver(ADMIN, id, data[0]?.id ?? "");
    await until("it is delivered", async () => (await webhooks.get(id)).last_delivered_at !== null);
  });
});

test("pauses grow from 5 s to 12 h, with full jitter, and respect the receiver's wish", () => {
  const seconds = Array.from({ length: MAX_ATTEMPTS - 1 }, (_, n) => longestPauseMs(n + 1) / 1000);
  expect(seconds).toEqual([5, 20, 80, 320, 1280, 5120, 20_480, 43_200, 43_200, 43_200, 43_200]);
  expect([pauseAfter(3, null, () => 0), pauseAfter(3, null, () => 0.5), pauseAfter(3, 60_000, () => 0.5)]).toEqual([
    0, 40_000, 60_000,
  ]);
  expect([pauseAfter(1, 1e12, () => 0), pauseAfter(MAX_ATTEMPTS, null)]).toEqual([43_200_000, undefined]);
});
