import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { Value } from "@sinclair/typebox/value";
import { EVENT_DATA, type EventType } from "../../gateway/webhooks/event-contract";
import { ServerProcess } from "../harness";
import { until } from "../until";
import { isSignedWith, WebhookReceiver } from "../webhook-receiver";
import { type Stack, startStack } from "./stack";

let stack: Stack;
let receiver: WebhookReceiver;
/** The jobs worker, as a process that tests can kill. */
let worker: ServerProcess;

const startWorker = async (): Promise<ServerProcess> => {
  const env = {
    GROUNDWIRE_DATA_DIR: stack.dataDir,
    GROUNDWIRE_GATEWAY_URL: stack.url,
    GROUNDWIRE_WEBHOOK_NETWORKS: "127.0.0.0/8",
    GROUNDWIRE_WEBHOOK_HTTP: "true",
  };
  const started = new ServerProcess("jobs/main.ts", env, tmpdir());
  await started.says("worker is ready");
  return started;
};

beforeAll(async () => {
  receiver = new WebhookReceiver();
  stack = await startStack({ tokens: 4 }, { hasWorker: false, webhooks: { networks: ["127.0.0.0/8"], http: true } });
  worker = await startWorker();
});
afterAll(async () => {
  await worker.stop();
  await stack.close();
  await receiver.stop();
});

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

const send = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> => {
  const response = await stack.call(method, path, { body });
  return { status: response.status, body: JSON.parse((await response.text()) || "null") };
};
const hooks = (method: string, path = "", body?: unknown) => send(method, `/v1/webhooks${path}`, body);

const create = async (more: object = {}): Promise<Json> => {
  const { status, body } = await hooks("POST", "", { url: receiver.url(), ...more });
  expect([status, body.error]).toEqual([201, undefined]);
  return body;
};

/** The delivery of a webhook's newest event when it is in this state. */
const newest = async (id: string, state: string): Promise<Json> => {
  let found: Json;
  await until(`its newest delivery is ${state}`, async () => {
    found = (await hooks("GET", `/${id}/deliveries?limit=1`)).body.data[0];
    return found?.state === state;
  });
  return found;
};

/** Requests for one webhook, which has its own path. */
const at = (path: string) => receiver.received.filter((each) => each.path === path);

describe("a webhook", () => {
  test("is created, read, changed and deleted; its secret is shown once", async () => {
    const { secret, ...created } = await create({ description: "on-call channel", events: ["run.ended"] });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(created).toMatchObject({ enabled: true, disabled_reason: null, old_secret_expires_at: null });
    expect((await hooks("GET", `/${created.id}`)).body).toEqual(created);
    expect((await hooks("GET")).body.data).toContainEqual(created);
    const { body: changed } = await hooks("PATCH", `/${created.id}`, { events: null, enabled: false });
    expect(changed).toMatchObject({ events: null, enabled: false, disabled_reason: "admin", url: created.url });
    expect((await hooks("POST", `/${created.id}/test`)).status).toBe(409);
    expect((await hooks("PATCH", `/${created.id}`, { enabled: true })).body.disabled_reason).toBeNull();
    expect((await hooks("DELETE", `/${created.id}`)).status).toBe(204);
    expect((await hooks("GET", `/${created.id}`)).status).toBe(404);
  });

  test.each([
    [{ url: "https://10.0.0.1/" }, "url", "is not a public address"],
    [{ url: "https://169.254.169.254/" }, "url", "is not a public address"],
    [{ url: "file:///etc/passwd" }, "url", "must be a web address"],
    [{ url: "https://example.com", events: [] }, "events", "1"],
    [{ url: "https://example.com", events: ["run.finished"] }, "events.0", "run.ended"],
    [{ url: "https://example.com", secret: "whsec_" }, "secret", "not a field"],
  ])("can't be created with %j", async (body, param, words) => {
    const response = await hooks("POST", "", body);
    expect([response.status, response.body.error.param]).toEqual([400, param]);
    expect(response.body.error.message).toContain(words);
  });

  test("receives a signed test event; after a rotation, both secrets sign until the grace period ends", async () => {
    const { id, secret } = await create({ url: receiver.url("/signed") });
    const { status, body: sent } = await hooks("POST", `/${id}/test`);
    expect([status, sent.event_type, sent.state]).toEqual([202, "webhook.test", "pending"]);
    await newest(id, "delivered");
    const { status: rotated, body: second } = await hooks("POST", `/${id}/rotate-secret`, { grace_seconds: 60 });
    expect([rotated, second.secret === secret]).toEqual([201, false]);
    expect(Date.parse(second.old_secret_expires_at) - Date.now()).toBeGreaterThan(50_000);
    await hooks("POST", `/${id}/test`);
    await until("both have arrived", () => at("/signed").length === 2);
    const signed = at("/signed").map((each) => [isSignedWith(secret, each), isSignedWith(second.secret, each)]);
    expect(await Promise.all(signed.map((each) => Promise.all(each)))).toEqual([
      [true, false],
      [true, true],
    ]);
    const { body: third } = await hooks("POST", `/${id}/rotate-secret`, { grace_seconds: 0 });
    expect(third.old_secret_expires_at).toBe(second.old_secret_expires_at);
    const forged = { ...at("/signed")[0], body: at("/signed")[0]?.body.replace("webhook.test", "node.down") ?? "" };
    expect(await isSignedWith(secret, forged as Json)).toBe(false);
  });

  test("of another id, and its deliveries, are not found", async () => {
    const { id } = await create({ events: ["webhook.disabled"] });
    for (const path of [`/wh_none`, `/wh_none/deliveries`, `/${id}/deliveries/dlv_none`]) {
      expect([path, (await hooks("GET", path)).status]).toEqual([path, 404]);
    }
    expect((await hooks("POST", `/${id}/deliveries/dlv_none/redeliver`)).status).toBe(404);
  });
});

describe("deliveries", () => {
  test("are listed by state, show their attempts, and can be sent again with the same id", async () => {
    const { id } = await create({ url: receiver.url("/again"), events: ["webhook.disabled"] });
    receiver.replies = [new Response(null, { status: 400, headers: { "retry-after": "60" } })];
    await hooks("POST", `/${id}/test`);
    await until("the first attempt has failed", async () => (await newest(id, "pending")).status === 400);
    const pending = (await hooks("GET", `/${id}/deliveries?state=pending`)).body.data;
    expect(pending).toMatchObject([{ status: 400, error: "It responded with 400.", ended_at: null }]);
    expect((await hooks("POST", `/${id}/deliveries/${pending[0].id}/redeliver`)).status).toBe(202);
    await newest(id, "delivered");
    const { body } = await hooks("GET", `/${id}/deliveries/${pending[0].id}`);
    expect(body.attempts.map((each: Json) => each.status)).toEqual([400, 200]);
    expect(body.payload).toEqual(JSON.parse(at("/again")[0]?.body ?? ""));
    expect(new Set(at("/again").map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([body.event_id]));
    expect((await hooks("GET", `/${id}/deliveries?state=failed`)).body.data).toEqual([]);
  });

  test("kill -9 of the worker during a request neither loses nor doubles the event", async () => {
    const { id } = await create({ url: receiver.url("/killed"), events: ["webhook.disabled"] });
    for (let kill = 1; kill <= 3; kill++) {
      receiver.replies.push(() => new Promise(() => {}));
      if (kill === 1) await hooks("POST", `/${id}/test`);
      await until(`request ${kill} has arrived`, () => at("/killed").length === kill);
      await worker.stop();
      worker = await startWorker();
    }
    const { event_id, attempt_count } = await newest(id, "delivered");
    expect([attempt_count, at("/killed").length]).toEqual([4, 4]);
    expect(new Set(at("/killed").map(({ headers }) => headers["webhook-id"]))).toEqual(new Set([event_id]));
    expect((await hooks("GET", `/${id}/deliveries`)).body.data).toHaveLength(1);
  });
});

/** The only event of this type that arrived at the path. Its data matches the contract. */
const eventAt = async (path: string, type: EventType, count = 1): Promise<Json> => {
  const arrived = () => at(path).filter(({ body }) => JSON.parse(body).type === type);
  await until(`${type} has arrived`, () => arrived().length >= count);
  expect(arrived()).toHaveLength(count);
  const event = JSON.parse(arrived().at(-1)?.body ?? "");
  expect([...Value.Errors(EVENT_DATA[type], event.data)]).toEqual([]);
  return event;
};

describe("an event is published", () => {
  const startRun = async (name: string, samples: number): Promise<string> => {
    const rows = Array.from({ length: samples }, (_, n) => ({ input: `What is ${n}?`, references: [`${n}`] }));
    await send("POST", "/v1/datasets", { name, samples: rows });
    const plan = { name, dataset: name, target: { kind: "chat" }, evaluators: ["exact@1"] };
    return (await send("POST", "/v1/batch-evals", plan)).body.id;
  };

  test("when a run is completed or cancelled, each time once", async () => {
    await create({ url: receiver.url("/runs"), events: ["run.ended"] });
    const id = await startRun("published", 3);
    const { data } = await eventAt("/runs", "run.ended");
    expect(data).toMatchObject({ run_id: id, name: "published", state: "completed", error: null });
    expect(data.results).toEqual({ done: 3, errors: 0, judged: 3, passed: 0 });

    const cancelled = await startRun("cancelled", 200);
    await send("POST", `/v1/batch-evals/${cancelled}/cancel`);
    await send("POST", `/v1/batch-evals/${cancelled}/cancel`);
    expect((await eventAt("/runs", "run.ended", 2)).data).toMatchObject({ run_id: cancelled, state: "cancelled" });
    await send("POST", `/v1/batch-evals/${cancelled}/resume`, {});
    await send("POST", `/v1/batch-evals/${cancelled}/cancel`);
    expect((await eventAt("/runs", "run.ended", 3)).data).toMatchObject({ run_id: cancelled, state: "cancelled" });
  });

  test("when a run fails, with the reason", async () => {
    await create({ url: receiver.url("/failed-runs"), events: ["run.ended"] });
    const key = (await send("POST", "/v1/keys", { name: "revoked", role: "editor" })).body;
    await send("POST", "/v1/datasets", { name: "answered", samples: [{ input: "What?", references: ["that"] }] });
    await worker.stop();
    const plan = { dataset: "answered", target: { kind: "chat" } };
    const started = await stack.call("POST", "/v1/batch-evals", { key: key.key, body: plan });
    expect(started.status).toBe(202);
    await send("DELETE", `/v1/keys/${key.id}`);
    worker = await startWorker();
    const { data } = await eventAt("/failed-runs", "run.ended");
    expect(data).toMatchObject({ state: "failed", error: { code: "invalid_api_key" } });
  });

  test("when documents of an ingestion fail, once for all of them", async () => {
    await create({ url: receiver.url("/documents"), events: ["ingestion.failed"] });
    const { id } = (await send("POST", "/v1/rag/indexes", { name: "broken" })).body;
    const documents = [{ text: "Good text." }, { text: " \n " }, { text: "\t" }];
    const added = await send("POST", `/v1/rag/indexes/${id}/documents`, { documents });
    expect(added.status).toBe(202);
    const { data } = await eventAt("/documents", "ingestion.failed");
    expect(data).toMatchObject({ index_id: id, index_name: "broken", documents: 3, failed: 2 });
    expect(data.failures.map((each: Json) => each.error.code)).toEqual(["invalid_request", "invalid_request"]);
  });

  test("when a budget is nearly used, and when it is spent", async () => {
    await create({ url: receiver.url("/budgets"), events: ["budget.warning", "budget.spent"] });
    const budgets = [{ unit: "requests", amount: 5, window: "day" }];
    const { id, key } = (await send("POST", "/v1/keys", { name: "small", role: "viewer", budgets })).body;
    const use = async (requests: number) => {
      for (let n = 0; n < requests; n++) await stack.call("GET", "/v1/models", { key });
      await stack.gateway.services.budgets.check();
    };
    await use(4);
    const expected = { key_id: id, budget: "requests_per_day", model: null, unit: "requests", limit: 5 };
    expect((await eventAt("/budgets", "budget.warning")).data).toMatchObject({ ...expected, used: 4 });
    await use(2);
    expect((await eventAt("/budgets", "budget.spent")).data).toMatchObject({ ...expected, used: 5 });
    await use(2);
    expect((await eventAt("/budgets", "budget.spent")).data.resets_at).toEndWith("T00:00:00.000Z");
  });

  test("by the gateway, once however often it is published", async () => {
    await create({ url: receiver.url("/degraded"), events: ["degradation.started"] });
    const publish = () =>
      stack.gateway.services.events.publish({
        type: "degradation.started",
        cause: "degradation.started:test",
        data: { code: "no_jobs", reason: "No jobs worker is running", drill: false, since: new Date().toISOString() },
      });
    expect((await Promise.all([publish(), publish(), publish()])).filter(Boolean)).toHaveLength(1);
    expect((await eventAt("/degraded", "degradation.started")).data.code).toBe("no_jobs");
  });
});
