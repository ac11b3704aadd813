import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { AuditEntry, AuditEntryPage } from "../../gateway/audit/contract";
import { notImplementedRoutes } from "../../gateway/http/not-implemented";
import type { ErrorEnvelope } from "../../lib/errors";
import { until } from "../until";
import { API_ROUTES } from "./api-routes";
import { type Stack, startStack } from "./stack";

let stack: Stack;
let adminId: string;
/** Every secret that a response has shown. */
const secrets: string[] = [];

beforeAll(async () => {
  stack = await startStack({}, { webhooks: { networks: ["127.0.0.0/8"], http: true } });
  adminId = (await ok("GET", "/v1/auth/me")).key_id;
  secrets.push(stack.adminKey);
});
afterAll(() => stack.close());

// biome-ignore lint/suspicious/noExplicitAny: the bodies are read by the test, which fails if a field is missing.
type Body = any;

const ok = async (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Body> => {
  const response = await stack.call(method, path, { body, headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} returned ${response.status}: ${text}`);
  const answer = text === "" ? undefined : JSON.parse(text);
  for (const secret of [answer?.key, answer?.secret]) if (secret) secrets.push(secret);
  return answer;
};

const list = async (query: string): Promise<AuditEntry[]> => {
  const response = await stack.call("GET", `/v1/audit?limit=100&${query}`);
  expect(response.status).toBe(200);
  return ((await response.json()) as AuditEntryPage).data;
};

const unique = () => crypto.randomUUID().slice(0, 8);
const newKey = async (): Promise<string> => (await ok("POST", "/v1/keys", { name: "a key", role: "member" })).id;
const newIndex = async (): Promise<string> => (await ok("POST", "/v1/rag/indexes", { name: `index-${unique()}` })).id;
const newDocument = async () => {
  const index = await newIndex();
  const added = await ok("POST", `/v1/rag/indexes/${index}/documents`, { documents: [{ text: "Shoes: 30 days." }] });
  const { id } = added.documents[0];
  await until("the document is ready", async () => {
    return (await ok("GET", `/v1/rag/indexes/${index}/documents/${id}`)).state === "ready";
  });
  return { index, id };
};
const sample = { input: "What is the capital of France?", references: ["Paris"] };
const newDataset = async (): Promise<string> =>
  (await ok("POST", "/v1/datasets", { name: `dataset ${unique()}`, samples: [sample] })).dataset.id;
const newResult = async () => ok("POST", "/v1/evaluate", { sample: { ...sample, output: "Paris" } });
/** A run that has ended, or one that waits because it was paused. */
const newRun = async (): Promise<string> =>
  (await ok("POST", "/v1/batch-evals", { dataset: await newDataset(), target: { kind: "chat" } })).id;
const endedRun = async (): Promise<string> => {
  const id = await newRun();
  await until("the run has ended", async () => (await ok("GET", `/v1/batch-evals/${id}`)).state === "completed");
  return id;
};
const criterion = {
  ...{ name: "politeness", description: "Is the answer polite?", scale: { min: 0, max: 1, step: 1 } },
  ...{ direction: "higher_is_better", threshold: 1, weight: 1 },
};
const judge = { model: "smollm2-135m-instruct", prompt: null, votes: 1, temperature: 0, seed: 0 };
const newEvaluator = async (): Promise<string> => {
  const { name } = await ok("POST", "/v1/evaluators", { name: `e-${unique()}`, criteria: [criterion], judge });
  return name;
};
const newPrompt = async (): Promise<string> => {
  const body = { name: `p-${unique()}`, messages: [{ role: "user", content: "{{input}}" }] };
  return (await ok("POST", "/v1/prompts", body)).name;
};
const newWebhook = async (): Promise<string> =>
  (await ok("POST", "/v1/webhooks", { url: "http://127.0.0.1:9/hook" })).id;

interface Change {
  action: string;
  /** Prepares the request. Its own entries have other request ids. */
  request(): Promise<readonly [path: string, body?: unknown]>;
}

/** One successful request for each route that changes something for others than its caller. */
const CHANGES: Record<string, Change> = {
  "POST /v1/keys": { action: "key.create", request: async () => ["/v1/keys", { name: "one", role: "member" }] },
  "PATCH /v1/keys/:id": {
    action: "key.update",
    request: async () => [`/v1/keys/${await newKey()}`, { name: "renamed", expires_at: "2020-01-01T00:00:00Z" }],
  },
  "POST /v1/keys/:id/rotate": {
    action: "key.rotate",
    request: async () => [`/v1/keys/${await newKey()}/rotate`, { grace_seconds: 60 }],
  },
  "DELETE /v1/keys/:id": { action: "key.revoke", request: async () => [`/v1/keys/${await newKey()}`] },
  "POST /v1/nodes/:id/drain": { action: "node.drain", request: async () => [`/v1/nodes/${await nodeId()}/drain`] },
  "POST /v1/nodes/:id/undrain": {
    action: "node.undrain",
    request: async () => {
      await ok("POST", `/v1/nodes/${await nodeId()}/drain`);
      return [`/v1/nodes/${await nodeId()}/undrain`];
    },
  },
  "POST /v1/cache/invalidate": {
    action: "cache.invalidate",
    request: async () => ["/v1/cache/invalidate", { model: "smollm2-135m-instruct" }],
  },
  "DELETE /v1/cache/entries/:key": {
    action: "cache.invalidate",
    request: async () => {
      const body = { messages: [{ role: "user", content: "Cached." }], temperature: 0 };
      const key = (await ok("POST", "/v1/chat", body)).cache.key;
      return [`/v1/cache/entries/${encodeURIComponent(key)}`];
    },
  },
  "POST /v1/cache/disable": {
    action: "cache.disable",
    request: async () => ["/v1/cache/disable", { namespace: await newKey() }],
  },
  "POST /v1/cache/enable": {
    action: "cache.enable",
    request: async () => ["/v1/cache/enable", { namespace: await newKey() }],
  },
  "POST /v1/cache/share": {
    action: "cache.share",
    request: async () => ["/v1/cache/share", { namespace: `team-${unique()}`, keys: [await newKey()] }],
  },
  "POST /v1/rag/indexes": {
    action: "index.create",
    request: async () => ["/v1/rag/indexes", { name: `index-${unique()}` }],
  },
  "PATCH /v1/rag/indexes/:id": {
    action: "index.update",
    request: async () => [`/v1/rag/indexes/${await newIndex()}`, { description: "new" }],
  },
  "DELETE /v1/rag/indexes/:id": {
    action: "index.delete",
    request: async () => [`/v1/rag/indexes/${await newIndex()}`],
  },
  "POST /v1/rag/indexes/:id/versions": {
    action: "index.build",
    request: async () => [
      `/v1/rag/indexes/${await newIndex()}/versions`,
      { chunking: { chunk_tokens: 64, overlap_tokens: 0 } },
    ],
  },
  "POST /v1/rag/indexes/:id/versions/:version/activate": {
    action: "index.activate",
    request: async () => {
      const id = await newIndex();
      await ok("POST", `/v1/rag/indexes/${id}/versions`, { chunking: { chunk_tokens: 64, overlap_tokens: 0 } });
      await until("the version is ready", async () => {
        const { data } = await ok("GET", `/v1/rag/indexes/${id}/versions`);
        return data.some((each: Body) => each.version === 2 && each.state === "ready");
      });
      return [`/v1/rag/indexes/${id}/versions/2/activate`];
    },
  },
  "POST /v1/rag/indexes/:id/documents": {
    action: "index.ingest",
    request: async () => [`/v1/rag/indexes/${await newIndex()}/documents`, { documents: [{ text: "one" }] }],
  },
  "DELETE /v1/rag/indexes/:id/documents/:document_id": {
    action: "document.delete",
    request: async () => {
      const { index, id } = await newDocument();
      return [`/v1/rag/indexes/${index}/documents/${id}`];
    },
  },
  "POST /v1/datasets": {
    action: "dataset.create",
    request: async () => ["/v1/datasets", { name: `dataset ${unique()}`, samples: [sample] }],
  },
  "PATCH /v1/datasets/:id": {
    action: "dataset.update",
    request: async () => [`/v1/datasets/${await newDataset()}`, { description: "new" }],
  },
  "DELETE /v1/datasets/:id": { action: "dataset.delete", request: async () => [`/v1/datasets/${await newDataset()}`] },
  "POST /v1/datasets/:id/revisions": {
    action: "dataset.revise",
    request: async () => [`/v1/datasets/${await newDataset()}/revisions`, { samples: [{ input: "Who?" }] }],
  },
  "POST /v1/evals/import": {
    action: "run.import",
    request: async () => {
      const { run } = await newResult();
      const file = await ok("GET", `/v1/evals/${run.id}/export`);
      const id = `run_${crypto.randomUUID().replaceAll("-", "")}`;
      return ["/v1/evals/import", { ...file, run: { ...file.run, id }, results: [] }];
    },
  },
  "POST /v1/batch-evals": {
    action: "run.start",
    request: async () => ["/v1/batch-evals", { dataset: await newDataset(), target: { kind: "chat" } }],
  },
  "POST /v1/batch-evals/:id/recompute": {
    action: "run.recompute",
    request: async () => [`/v1/batch-evals/${await endedRun()}/recompute`, { evaluators: ["exact@1"] }],
  },
  "POST /v1/samples/:id/labels": {
    action: "label.give",
    request: async () => [`/v1/samples/${(await newResult()).result.id}/labels`, { metric: "correctness", value: 1 }],
  },
  "POST /v1/prompts": {
    action: "prompt.create",
    request: async () => ["/v1/prompts", { name: `p-${unique()}`, messages: [{ role: "user", content: "{{input}}" }] }],
  },
  "PUT /v1/prompts/:name/labels/:label": {
    action: "prompt.label",
    request: async () => [`/v1/prompts/${await newPrompt()}/labels/production`, { version: 1 }],
  },
  "POST /v1/evaluators": {
    action: "evaluator.create",
    request: async () => ["/v1/evaluators", { name: `e-${unique()}`, criteria: [criterion], judge }],
  },
  "POST /v1/evaluators/:name/shadow": {
    action: "evaluator.shadow",
    request: async () => [`/v1/evaluators/${await newEvaluator()}/shadow`, { version: 1 }],
  },
  "POST /v1/evaluators/:name/promote": {
    action: "evaluator.promote",
    request: async () => [`/v1/evaluators/${await newEvaluator()}/promote`, { version: 1 }],
  },
  "POST /v1/webhooks": {
    action: "webhook.create",
    request: async () => ["/v1/webhooks", { url: "http://127.0.0.1:9/hook" }],
  },
  "PATCH /v1/webhooks/:id": {
    action: "webhook.update",
    request: async () => [`/v1/webhooks/${await newWebhook()}`, { enabled: false }],
  },
  "DELETE /v1/webhooks/:id": {
    action: "webhook.delete",
    request: async () => [`/v1/webhooks/${await newWebhook()}`],
  },
  "POST /v1/webhooks/:id/rotate-secret": {
    action: "webhook.rotate",
    request: async () => [`/v1/webhooks/${await newWebhook()}/rotate-secret`, { grace_seconds: 60 }],
  },
  "POST /v1/webhooks/:id/test": {
    action: "webhook.test",
    request: async () => [`/v1/webhooks/${await newWebhook()}/test`],
  },
  "POST /v1/webhooks/:id/deliveries/:delivery/redeliver": {
    action: "webhook.redeliver",
    request: async () => {
      const path = `/v1/webhooks/${await newWebhook()}`;
      const { id } = await ok("POST", `${path}/test`);
      return [`${path}/deliveries/${id}/redeliver`];
    },
  },
  "POST /v1/degraded/:code/drill": {
    action: "drill.start",
    request: async () => ["/v1/degraded/cache_off/drill", { minutes: 1 }],
  },
  "POST /v1/degraded/:code/end": {
    action: "drill.end",
    request: async () => {
      await ok("POST", "/v1/degraded/cache_off/drill", { minutes: 1 });
      return ["/v1/degraded/cache_off/end"];
    },
  },
};

/** Routes that only compute, and routes whose success depends on the moment; the services' tests cover those. */
const WITHOUT_ENTRY: Record<string, string> = {
  "POST /v1/cache/explain": "computes",
  "POST /v1/rag/indexes/:id/calibrate": "computes",
  "POST /v1/rag/indexes/:id/compare": "computes",
  "POST /v1/batch-evals/plan": "computes",
  "POST /v1/nodes/:id/check": "computes",
  "POST /v1/batch-evals/:id/pause": "needs a running run",
  "POST /v1/batch-evals/:id/cancel": "needs a running run",
  "POST /v1/batch-evals/:id/resume": "needs a paused run",
  "POST /v1/rag/indexes/:id/documents/:document_id/retry": "needs a failed document",
  "POST /v1/rag/indexes/:id/ingestion/cancel": "needs a running ingestion",
};

const nodeId = async (): Promise<string> => (await ok("GET", "/v1/nodes")).data[0].id;

test("the tables below list every route of editors and admins that isn't a read", () => {
  const routes = API_ROUTES.filter(({ method, role }) => method !== "GET" && (role === "editor" || role === "admin"))
    .map(({ route }) => route)
    .filter((route) => !notImplementedRoutes.has(route));
  expect([...Object.keys(CHANGES), ...Object.keys(WITHOUT_ENTRY)].sort()).toEqual(routes.sort());
});

describe("a change has exactly one entry, with its author and request", () => {
  test.each(Object.entries(CHANGES))("%s", async (route, { action, request }) => {
    const [method = ""] = route.split(" ");
    const [path, body] = await request();
    const id = `audited-${unique()}`;
    await ok(method, path, body, { "x-request-id": id });
    const entries = await list(`request_id=${id}`);
    expect(entries.map((entry) => entry.action)).toEqual([action]);
    const [entry] = entries;
    expect(entry?.actor).toEqual({ id: adminId, name: "GROUNDWIRE_ADMIN_KEY" });
    expect(entry?.object.type).toBe(action.split(".")[0]);
    expect(entry?.object.id).not.toBe("");
    if (action === "node.undrain" || action === "node.drain") await ok("POST", `/v1/nodes/${await nodeId()}/undrain`);
  });

  test("a request that is refused, fails, changes nothing or is repeated adds none", async () => {
    const key = await newKey();
    const editor = await stack.keyOf("editor");
    secrets.push(editor);
    const headers = { "x-request-id": `refused-${unique()}` };
    const refusals: [method: string, path: string, body: unknown, key: string, status: number][] = [
      ["DELETE", `/v1/keys/${key}`, undefined, editor, 403],
      ["DELETE", "/v1/keys/key_none", undefined, stack.adminKey, 404],
      ["PATCH", `/v1/keys/${key}`, { name: "" }, stack.adminKey, 400],
      ["PATCH", "/v1/keys/key_bootstrap", { name: "mine" }, stack.adminKey, 409],
      ["POST", "/v1/nodes/no-node/drain", undefined, stack.adminKey, 404],
      ["POST", `/v1/nodes/${await nodeId()}/undrain`, undefined, stack.adminKey, 200],
      ["DELETE", "/v1/cache/entries/none", undefined, stack.adminKey, 404],
    ];
    for (const [method, path, body, caller, status] of refusals) {
      const response = await stack.call(method, path, { key: caller, body, headers });
      expect([method, path, response.status]).toEqual([method, path, status]);
    }
    await ok("DELETE", `/v1/keys/${key}`);
    await ok("DELETE", `/v1/keys/${key}`, undefined, headers);
    expect(await list(`request_id=${headers["x-request-id"]}`)).toEqual([]);

    const once = { "idempotency-key": `audit-${unique()}`, "x-request-id": `repeated-${unique()}` };
    for (let n = 0; n < 2; n++) await ok("POST", "/v1/keys", { name: "twice", role: "viewer" }, once);
    expect(await list(`request_id=${once["x-request-id"]}`)).toHaveLength(1);
  });

  test("signing in and out, and failed sign-ins, with the address but without the key that was tried", async () => {
    const { key, id } = await ok("POST", "/v1/keys", { name: "a person", role: "viewer" });
    const post = (path: string, fields: Record<string, string>, cookie = "") =>
      fetch(stack.url + path, {
        method: "POST",
        body: new URLSearchParams(fields),
        headers: { "sec-fetch-site": "same-origin", cookie },
        redirect: "manual",
      });
    const tried = "gw_tried_canary_1234567890";
    for (let n = 0; n < 3; n++) expect((await post("/sign-in", { key: tried })).status).toBe(422);
    const signedIn = await post("/sign-in", { key });
    const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
    await post("/sign-out", {}, cookie);
    secrets.push(tried, cookie.split("=")[1] ?? "");
    const mine = await list(`actor=${id}&object_type=session`);
    expect(mine.map(({ action, actor }) => [action, actor.name])).toEqual([
      ["session.end", "a person"],
      ["session.begin", "a person"],
    ]);
    expect(mine.at(-1)?.request_id).toBe(signedIn.headers.get("x-request-id"));
    const failed = await list("action=session.refuse");
    expect(failed.reduce((sum, { changes }) => sum + Number(changes.count ?? 1), 0)).toBe(3);
    expect(failed[0]).toMatchObject({ actor: { id: "anonymous", name: null }, changes: { with: "key" } });
    expect(failed[0]?.object.id).toMatch(/^[\d.:a-f]+$/);
  });
});

describe("the list", () => {
  test("has every entry on one page, newest first, and its filters work together", async () => {
    const { key, id } = await ok("POST", "/v1/keys", { name: "second admin", role: "admin" });
    secrets.push(key);
    const target = await newKey();
    for (let n = 0; n < 5; n++) {
      await stack.call("PATCH", `/v1/keys/${target}`, { key, body: { name: `name ${n}` } });
    }
    const names: unknown[] = [];
    let after: string | null = null;
    do {
      const query: string = `?actor=${id}&object_id=${target}&limit=2${after ? `&after=${after}` : ""}`;
      const page: AuditEntryPage = await ok("GET", `/v1/audit${query}`);
      names.push(...page.data.map(({ changes }) => changes.name));
      after = page.next_cursor;
    } while (after !== null);
    expect(names).toEqual(["name 4", "name 3", "name 2", "name 1", "name 0"]);
    const [newest] = await list(`object_id=${target}`);
    expect(newest?.changes).toEqual({ name: "name 4" });
    expect(await list(`object_id=${target}&action=key.create`)).toHaveLength(1);
    expect(await list(`object_id=${target}&object_type=index`)).toEqual([]);
    expect((await list(`object_id=${target}&since=${newest?.at}`)).length).toBeGreaterThan(0);
    expect(await list(`object_id=${target}&until=2020-01-01T00:00:00Z`)).toEqual([]);
  });

  test("is only for admins, and refuses another list's cursor", async () => {
    const editor = await stack.keyOf("editor");
    secrets.push(editor);
    for (const path of ["/v1/audit", "/v1/audit/export"]) {
      expect((await stack.call("GET", path, { key: editor })).status).toBe(403);
    }
    const response = await stack.call("GET", "/v1/audit?after=1.x");
    expect([response.status, ((await response.json()) as ErrorEnvelope).error.param]).toEqual([400, "after"]);
  });

  test("is exported as JSONL and as CSV in which no text is a formula", async () => {
    await ok("POST", "/v1/keys", { name: "=1+1", role: "viewer" });
    const { key } = await ok("POST", "/v1/keys", { name: "@SUM(A1)", role: "admin" });
    await stack.call("POST", "/v1/keys", { key, body: { name: "made by a formula", role: "viewer" } });
    const lines = await (await stack.call("GET", "/v1/audit/export?object_type=key")).text();
    const entries = lines.trimEnd().split("\n");
    expect(JSON.parse(entries[0] ?? "").actor.name).toBe("@SUM(A1)");
    expect(entries.length).toBeGreaterThan(20);
    const response = await stack.call("GET", "/v1/audit/export?format=csv&object_type=key");
    expect(response.headers.get("content-disposition")).toBe('attachment; filename="groundwire-audit.csv"');
    const rows = (await response.text()).trimEnd().split("\r\n");
    expect(rows).toHaveLength(entries.length + 1);
    expect(rows[0]).toBe("id,at,actor_id,actor_name,action,object_type,object_id,request_id,changes");
    expect(rows[1]).toContain(",'@SUM(A1),");
  });
});

test("X1: no entry contains a secret: not a key, a session or a sign-in attempt", async () => {
  const text = await (await stack.call("GET", "/v1/audit/export")).text();
  expect(secrets.length).toBeGreaterThan(10);
  for (const secret of secrets.filter((each) => each.length > 8)) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(secret.slice(-16));
  }
});
