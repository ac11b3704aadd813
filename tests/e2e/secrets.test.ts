import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@libsql/client";
import { freePort } from "../free-port";
import { ADMIN_KEY, ServerProcess, Stack } from "../harness";
import { RagClient } from "../rag-client";
import { until } from "../until";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

/** Words that each appear in only one kind of text, so that a search shows where that text went. */
const CANARY = {
  /** In prompts of the chat API and in questions to an index, which are not stored. */
  asked: "canary-asked-7f3a91",
  /** In every text of every other request. */
  sent: "canary-sent-02c4de",
  person: "canary.person@example.com",
  stored: "canary-stored-5b20cc",
  header: "canary-header-e91d04",
  guess: "gw_canaryguess1_00000000000000000000000000000000000000000000000",
};

/** Real processes, of which every request, valid or not, has been asked for with canaries. All logging is on. */
let stack: Stack;
/** Keys, cookies, tokens: they may only appear in the response that creates them. */
const secrets = new Map<string, string>([["the admin key", ADMIN_KEY]]);
/** What was read before the processes ended. */
let metrics = "";
/** Everything that the processes have sent to their collector of traces: OTLP, whose texts are readable. */
let spans = "";
const collector = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    const bytes = await request.arrayBuffer();
    const isPacked = request.headers.get("content-encoding") === "gzip";
    spans += Buffer.from(isPacked ? Bun.gunzipSync(bytes) : new Uint8Array(bytes)).toString("latin1");
    return new Response(null);
  },
});
const bodies: [what: string, text: string][] = [];

const keep = async (what: string, response: Response): Promise<Json> => {
  const text = await response.text();
  bodies.push([`${what} (${response.status})`, `${[...response.headers].join("\n")}\n\n${text}`]);
  const isJson = /^application\/json(;|$)/.test(response.headers.get("content-type") ?? "");
  return isJson ? JSON.parse(text) : text;
};
const call = async (path: string, body?: unknown, headers: Record<string, string> = {}, method?: string) =>
  keep(path, await stack.fetch(path, { body, headers, ...(method && { method }) }));

/** Replaces every text in an example. */
const fill = (value: unknown, text: string): unknown => {
  if (typeof value === "string") return text;
  if (Array.isArray(value)) return value.map((item) => fill(item, text));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fill(inner, text)]));
};

/** Sends canaries to every route: in texts, as invalid JSON, in queries and paths, with wrong keys. */
const askEverything = async (): Promise<void> => {
  const { paths } = (await (await stack.fetch("/openapi.json")).json()) as Json;
  for (const [pattern, operations] of Object.entries<Json>(paths)) {
    for (const [method, operation] of Object.entries<Json>(operations)) {
      const path = pattern.replace(/\{\w+\}/g, CANARY.sent);
      const example = operation.requestBody?.content["application/json"]?.example;
      const send = async (what: string, init: RequestInit) =>
        keep(`${method} ${pattern}, ${what}`, await fetch(stack.url + path, { method: method.toUpperCase(), ...init }));
      const authorized = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" };
      await send("wrong key", { headers: { ...authorized, authorization: `Bearer ${CANARY.guess}` } });
      const body = example && JSON.stringify(fill(example, `${CANARY.sent} ${CANARY.person}`));
      await send("canaries", { headers: authorized, body });
      if (example) await send("broken", { headers: authorized, body: `{"${CANARY.sent}": ${CANARY.person}` });
      await send("with a cookie", { headers: { cookie: `groundwire=${CANARY.header}; x=${CANARY.header}` } });
    }
  }
};

const askPages = async (cookie: string): Promise<void> => {
  const form = { method: "POST", redirect: "manual" } as const;
  const headers = { cookie, origin: stack.url };
  for (const path of [
    "/chat",
    "/datasets",
    "/evals",
    "/evals/new",
    "/batch-evals",
    "/rag",
    "/keys",
    "/system",
    "/dashboard",
  ]) {
    await keep(
      path,
      await fetch(`${stack.url}${path}?search=${CANARY.sent}`, { headers: { cookie }, redirect: "manual" }),
    );
    const body = new URLSearchParams({
      message: CANARY.sent,
      question: CANARY.sent,
      name: CANARY.sent,
      input: CANARY.sent,
    });
    await keep(`POST ${path}`, await fetch(stack.url + path, { ...form, headers, body }));
  }
  for (const body of [new URLSearchParams({ key: CANARY.guess }), new URLSearchParams({ token: CANARY.header })]) {
    await keep("POST /sign-in", await fetch(`${stack.url}/sign-in`, { ...form, headers: { origin: stack.url }, body }));
  }
};

/** Texts that are meant to be stored: a conversation, a dataset, a document, feedback. */
const storeEverything = async (): Promise<void> => {
  const text = `${CANARY.stored} ${CANARY.stored}.`;
  const { id } = await call("/v1/conversations", {});
  await call(`/v1/conversations/${id}/messages`, { content: text });
  await call("/v1/datasets", { name: "canaries", samples: [{ input: text, references: [text] }] });
  await call("/v1/evaluate", { sample: { input: text, references: [text], output: text } });
  await call("/v1/feedback", { request_id: "req_1", rating: "down", comment: text });
  const rag = new RagClient(stack.url, ADMIN_KEY);
  const index = await call("/v1/rag/indexes", { name: "canaries" });
  await rag.addTexts(index.id, { text, title: CANARY.stored });
  await rag.settled(index.id);
  await call("/v1/rag/query", { index: "canaries", question: `${CANARY.asked} ${CANARY.stored}` });
};

/** Makes the database reject statements, and the node disappear, while prompts are on their way. */
const breakEverything = async (): Promise<void> => {
  const database = createClient({ url: `file:${join(stack.folder, "data/groundwire.db")}` });
  await until("the messages table is renamed", () =>
    database.execute("ALTER TABLE messages RENAME TO broken").then(
      () => true,
      () => false,
    ),
  );
  await call("/v1/conversations", {}).then(({ id }) =>
    call(`/v1/conversations/${id}/messages`, { content: CANARY.sent }),
  );
  await database.execute("ALTER TABLE broken RENAME TO messages");
  database.close();
  const answering = stack.fetch("/v1/chat", {
    body: { messages: [{ role: "user", content: CANARY.asked }], stream: true, temperature: 1 },
  });
  await until("the node has sent spans", () => spans.includes("groundwire-gpu-node"));
  stack.node.signal("SIGKILL");
  await keep("an answer without a node", await answering);
  await call("/v1/chat", { messages: [{ role: "user", content: `${CANARY.asked} ${CANARY.person}` }] });
};

beforeAll(async () => {
  const env = {
    ...{ GROUNDWIRE_LOG_LEVEL: "debug", GROUNDWIRE_REQUESTS_PER_MINUTE: "1000000" },
    ...{ GROUNDWIRE_SYNTHETIC_TOKEN_MS: "5", GROUNDWIRE_SYNTHETIC_TOKENS: "40" },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url.origin, OTEL_BSP_SCHEDULE_DELAY: "200" },
  };
  stack = await Stack.start({ engine: "synthetic", workers: 1, env });
  const headers = { "idempotency-key": CANARY.header };
  const created = await stack.fetch("/v1/keys", {
    body: { name: "a key", role: "admin", content_logging: false },
    headers,
  });
  secrets.set("a created key", ((await created.json()) as Json).key);
  const signedIn = await fetch(`${stack.url}/sign-in`, {
    ...{ method: "POST", headers: { origin: stack.url }, redirect: "manual" },
    body: new URLSearchParams({ key: ADMIN_KEY }),
  });
  const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
  secrets.set("a session's cookie", cookie.split("=")[1] ?? "");
  const { key_id } = (await (await stack.fetch("/v1/auth/me")).json()) as Json;
  const rotated = await stack.fetch("/v1/keys", { body: { name: "to be rotated", role: "member" } });
  const old = (await rotated.json()) as Json;
  secrets.set("a key before its rotation", old.key);
  secrets.set(
    "a key after its rotation",
    ((await (await stack.fetch(`/v1/keys/${old.id}/rotate`, { body: {} })).json()) as Json).key,
  );
  expect(key_id).toBe("key_bootstrap");

  await storeEverything();
  for (const key of secrets.values()) {
    const authorization = `Bearer ${key}`;
    await call(
      "/v1/chat",
      { messages: [{ role: "user", content: `${CANARY.asked} ${CANARY.person}` }] },
      { authorization },
    );
    await call("/v1/auth/me", undefined, {
      authorization,
      "x-request-id": `${CANARY.header}!`,
      traceparent: CANARY.header,
    });
  }
  await askEverything();
  await askPages(cookie);
  for (const path of ["/keys", "/chat", "/system"])
    await keep(path, await fetch(stack.url + path, { headers: { cookie } }));
  metrics = await (await stack.fetch("/metrics")).text();
  metrics += await (await fetch(`${stack.nodeUrl}/metrics`)).text();
  await breakEverything();
  for (const each of [stack.gateway, ...stack.workers]) {
    each.signal("SIGTERM");
    await each.exited;
  }
}, 120_000);
afterAll(async () => {
  await stack?.stop();
  await collector.stop(true);
});

/** Every file that the processes have written, with its content. */
const files = (): [name: string, bytes: Buffer][] =>
  readdirSync(stack.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => [name, readFileSync(join(parentPath, name))]);
const logs = () => [stack.gateway, stack.node, ...stack.workers].map(({ output }) => output).join("\n");

describe("K1, X1:", () => {
  test("the search finds what is meant to be there", () => {
    expect(files().some(([, bytes]) => bytes.includes(CANARY.stored))).toBe(true);
    expect(files().map(([name]) => name)).toContain("groundwire.db");
    expect(logs().match(/"msg":"request"/g)?.length).toBeGreaterThan(200);
    expect(logs()).toContain('"msg":"internal error"');
    expect(metrics).toContain("/v1/chat");
    expect(spans).toContain("/v1/chat");
    expect(spans).toContain("groundwire-gpu-node");
  });

  test("no key, cookie or token is in a file, log line, metric, span, page or response", () => {
    for (const [what, secret] of [...secrets, ["a wrong key", CANARY.guess] as const]) {
      expect(secret.length).toBeGreaterThan(30);
      expect([
        what,
        files()
          .filter(([, bytes]) => bytes.includes(secret))
          .map(([name]) => name),
      ]).toEqual([what, []]);
      const isSent = [logs(), metrics, spans].map((text) => text.includes(secret));
      expect([what, ...isSent]).toEqual([what, false, false, false]);
      expect([what, bodies.filter(([, text]) => text.includes(secret)).map(([name]) => name)]).toEqual([what, []]);
    }
    expect(logs()).not.toMatch(/\bgws_[\w-]{20}/);
    expect([files().filter(([, bytes]) => bytes.includes(CANARY.header)), logs().includes(CANARY.header)]).toEqual([
      [],
      false,
    ]);
  });

  test("no prompt, address of a person or stored text is in a log line, a metric or a span", () => {
    for (const text of [CANARY.asked, CANARY.sent, CANARY.person, CANARY.stored]) {
      const line = logs()
        .split("\n")
        .find((each) => each.includes(text));
      expect([text, line, metrics.includes(text), spans.includes(text)]).toEqual([text, undefined, false, false]);
    }
  });

  test("a prompt of the chat API and a question to an index are in no file", () => {
    const found = files().filter(([, bytes]) => bytes.includes(CANARY.asked));
    expect(found.map(([name]) => name)).toEqual([]);
  });
});

test("X3: every line of a log is one event, whatever callers send", () => {
  for (const { output } of [stack.gateway, ...stack.workers]) {
    const lines = output
      .trim()
      .split("\n")
      .filter((line) => !/^(Groundwire|Admin key)/.test(line));
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), component: expect.any(String) });
    expect(output).not.toContain("\u001b");
  }
});

describe("O1: a first start", () => {
  let folder: string;
  let gateway: ServerProcess;
  let port: number;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "groundwire-first-"));
    port = await freePort();
    const settings = {
      GROUNDWIRE_PORT: String(port),
      GROUNDWIRE_DATA_DIR: join(folder, "data"),
      GROUNDWIRE_NODES: "http://127.0.0.1:9",
    };
    gateway = new ServerProcess("gateway/main.ts", settings, folder);
    await gateway.says("Admin key");
  }, 60_000);
  afterAll(async () => {
    await gateway.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("writes the admin key to a private file, not to output that may be logged", () => {
    const file = join(folder, "data/admin-key");
    expect(gateway.output).toContain(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(gateway.output).not.toContain(readFileSync(file, "utf8").trim());
  });

  test("writes files that only its own user can read", () => {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    expect(entries.map(({ name }) => name)).toContain("groundwire.db");
    const modes = entries.map(({ parentPath, name }) => [name, statSync(join(parentPath, name)).mode & 0o077]);
    expect(modes.filter(([, others]) => others !== 0)).toEqual([]);
  });

  test("has no default account", async () => {
    for (const key of ["admin", "password", "groundwire", "changeme", "test", ADMIN_KEY]) {
      const headers = { authorization: `Bearer ${key}` };
      expect((await fetch(`http://127.0.0.1:${port}/v1/auth/me`, { headers })).status).toBe(401);
    }
    for (const path of ["/metrics", "/v1/metrics", "/v1/nodes"])
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(401);
  });

  test.skipIf(!existsSync("/proc/self/net/tcp"))("listens on the loopback address only", () => {
    const addresses = listening(gateway.pid);
    expect(addresses).toContain(`127.0.0.1:${port}`);
    expect(addresses.filter((address) => !address.startsWith("127.0.0.1:"))).toEqual([]);
  });
});

/** Addresses on which a process listens, read from Linux' tables of sockets. */
const listening = (pid: number): string[] => {
  const descriptors = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ""; // closed meanwhile
    }
  });
  return ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, "utf8")
      .split("\n")
      .flatMap((line) => {
        const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
        if (state !== "0A" || !descriptors.includes(`socket:[${inode}]`)) return [];
        const [host = "", port = ""] = local.split(":");
        const bytes = Buffer.from(host, "hex").reverse();
        return [`${host.length === 8 ? bytes.join(".") : host}:${Number.parseInt(port, 16)}`];
      }),
  );
};
