import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { until } from "../until";
import { API_ROUTES, type ApiRoute } from "./api-routes";
import { documentedRequests } from "./documented-requests";
import { errorOf } from "./error-of";
import { type Stack, startStack } from "./stack";

let stack: Stack;
let requests: Awaited<ReturnType<typeof documentedRequests>>;
/** A server that the gateway, the node and the worker must never call, and the paths that were called. */
const reached: string[] = [];
const trap = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request) {
    reached.push(`${request.method} ${request.url}`);
    return new Response("reached");
  },
});

beforeAll(async () => {
  stack = await startStack();
  requests = await documentedRequests(stack);
});
afterAll(async () => {
  await stack.close();
  await trap.stop(true);
});

/** Sends a request without checking its status against the document, which doesn't describe hostile requests. */
const send = (method: string, path: string, body?: unknown) =>
  fetch(stack.url + path, {
    method,
    headers: { authorization: `Bearer ${stack.adminKey}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });

/** The routes with a JSON body, and their examples. */
const writes = (): { route: ApiRoute; url: string; body: Record<string, unknown> }[] =>
  API_ROUTES.flatMap((route) => {
    const { url, body } = requests.requestOf(route);
    return typeof body === "object" && body !== null ? [{ route, url, body: body as Record<string, unknown> }] : [];
  });

/** Copies of `value`, each with one of its texts replaced. */
const eachText = (value: unknown, text: string): unknown[] => {
  if (typeof value === "string") return [text];
  if (Array.isArray(value)) {
    return value.flatMap((item, at) => eachText(item, text).map((other) => value.with(at, other)));
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    eachText(inner, text).map((other) => ({ ...value, [name]: other })),
  );
};

test("S1: no caller can set the fields that the gateway sets", async () => {
  const OWN = ["id", "role", "owner", "key_id", "created_by", "created_at", "usage", "is_admin", "is_bootstrap", "via"];
  for (const { route, url, body } of writes()) {
    const known = requests.fieldsOf(route);
    for (const field of OWN.filter((name) => !known.includes(name))) {
      const response = await send(route.method, url, { ...body, [field]: "admin" });
      expect([route.route, field, response.status, (await errorOf(response)).param]).toEqual([
        ...[route.route, field, 400, field],
      ]);
    }
  }
});

describe("S2: no address that a caller names is fetched", () => {
  const addresses = () => {
    const port = trap.port ?? 0;
    const hosts = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "127.1"];
    return hosts.map((host) => `http://${host}:${port}/ssrf`);
  };

  test("in any text of any request", async () => {
    let sent = 0;
    for (const { route, url, body } of writes()) {
      for (const hostile of eachText(body, addresses()[0] ?? "")) {
        sent += 1;
        await (await send(route.method, url, hostile)).body?.cancel();
      }
    }
    for (const route of API_ROUTES.filter(({ method }) => method === "GET")) {
      const { url } = requests.requestOf(route);
      for (const name of ["url", "callback", "redirect", "search", "model", "index"]) {
        const query = `${url.includes("?") ? "&" : "?"}${name}=${encodeURIComponent(addresses()[0] ?? "")}`;
        const abort = new AbortController();
        await (
          await fetch(stack.url + url + query, { signal: abort.signal, headers: { "x-api-key": stack.adminKey } })
        ).body?.cancel();
        abort.abort();
      }
    }
    expect([sent > 80, reached]).toEqual([true, []]);
  }, 60_000);

  test("in messages, documents and datasets, however it is written", async () => {
    const links = addresses()
      .map((url) => `![x](${url}) <img src="${url}"> <link rel="stylesheet" href="${url}"> [x]: ${url}`)
      .join("\n");
    const content = [{ type: "text", text: links }];
    expect((await send("POST", "/v1/chat", { messages: [{ role: "user", content }], max_tokens: 4 })).status).toBe(200);
    for (const [type, name] of [
      ["image_url", "image_url"],
      ["input_audio", "input_audio"],
      ["file", "file"],
    ] as const) {
      const part = { type, [name]: { url: addresses()[0], data: addresses()[0], file_id: addresses()[0] } };
      const refused = await send("POST", "/v1/chat/completions", { messages: [{ role: "user", content: [part] }] });
      expect([type, refused.status]).toEqual([type, 400]);
    }
    const { id } = (await (await send("POST", "/v1/rag/indexes", { name: "links" })).json()) as { id: string };
    const form = new FormData();
    form.append("files", new File([`<html><body>${links}</body></html>`], "links.html", { type: "text/html" }));
    form.append("files", new File([`# Links\n\n${links}`], "links.md", { type: "text/markdown" }));
    const authorization = `Bearer ${stack.adminKey}`;
    const uploaded = await fetch(`${stack.url}/v1/rag/indexes/${id}/documents`, {
      ...{ method: "POST", headers: { authorization }, body: form },
    });
    expect(uploaded.status).toBe(202);
    await until("both documents are ingested", async () => {
      const { data } = (await (await send("GET", `/v1/rag/indexes/${id}/documents`)).json()) as {
        data: { state: string }[];
      };
      return data.length === 2 && data.every(({ state }) => !/queued|running|pending|processing/.test(state));
    });
    await send("POST", "/v1/datasets", { name: "links", samples: [{ input: links, references: [links] }] });
    expect(reached).toEqual([]);
    // The trap does catch a request.
    await fetch(addresses()[0] ?? "");
    expect(reached).toHaveLength(1);
  }, 60_000);
});

describe("S4: a parameter of the engine that the gateway doesn't know", () => {
  const HELLO = { messages: [{ role: "user", content: "Hello" }], max_tokens: 4 };
  const nested = (levels: number): object =>
    levels === 0 ? {} : { type: "object", properties: { a: nested(levels - 1) } };
  const format = (schema: object) => ({ type: "json_schema", json_schema: { name: "x", schema } });
  /** Parameters of vLLM, SGLang and llama-server, and values of known ones that would exhaust an engine. */
  const HOSTILE: Record<string, unknown> = {
    n: 1e9,
    best_of: 1e9,
    max_tokens: 1e12,
    top_logprobs: 1e6,
    logit_bias: Object.fromEntries(Array.from({ length: 10_000 }, (_, token) => [token, 100])),
    stop: Array.from({ length: 10_000 }, (_, n) => `stop ${n}`),
    chat_template: "{% for i in range(10**9) %}x{% endfor %}",
    chat_template_kwargs: { tools: "x" },
    prompt_embeds: "AAAA",
    guided_regex: "(a+)+$",
    guided_grammar: "root ::= root",
    guided_json: {},
    structured_outputs: { regex: "(a+)+$" },
    extra_body: { chat_template: "x" },
    use_beam_search: true,
    ignore_eos: true,
    min_tokens: 1e9,
    truncate_prompt_tokens: -1,
    bad_words: ["x"],
    logits_processors: ["os.system"],
    mm_processor_kwargs: {},
    kv_transfer_params: { remote_host: "127.0.0.1" },
    lora_request: { path: "/etc/passwd" },
    cache_salt: "x",
    priority: -1e9,
    add_generation_prompt: false,
    documents: [{ title: "x" }],
    grammar: "root ::= root",
    samplers: "x",
    id_slot: 0,
    cache_prompt: false,
    n_predict: -1,
    response_format: format(nested(101)),
  };

  /** Requests that the node has answered or refused. */
  const seenByNode = async (): Promise<number> => {
    const text = await (await fetch(`${stack.config.gateway.nodes[0]}/metrics`)).text();
    const counts = text.matchAll(
      /^(?:gen_ai_server_request_duration_seconds_count|groundwire_node_failures_total)\S* (\d+)/gm,
    );
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  };

  test("is refused by name, and no node sees it", async () => {
    const before = await seenByNode();
    for (const path of ["/v1/chat/completions", "/v1/chat"]) {
      for (const [name, value] of Object.entries(HOSTILE)) {
        const response = await send("POST", path, { ...HELLO, [name]: value });
        const { param, code } = await errorOf(response);
        // A body that is nested too deeply is rejected as a whole.
        const expected = name === "response_format" ? null : name;
        expect([name, response.status, code, param?.split(".")[0] ?? null]).toEqual([
          name,
          400,
          "invalid_request",
          expected,
        ]);
      }
    }
    expect(await seenByNode()).toBe(before);
    expect((await send("POST", "/v1/chat", HELLO)).status).toBe(200);
    expect(await seenByNode()).toBe(before + 1);
  });
});

describe("R3: a request that would use unbounded resources is refused:", () => {
  const HELLO = { messages: [{ role: "user", content: "Hello" }] };
  const long = "word ".repeat(200_000);
  const batch = { dataset: "any", target: { kind: "chat" } };
  test.each<[what: string, path: string, body: object, status: number, named: string | null]>([
    ["a prompt beyond the context", "/v1/chat", { messages: [{ role: "user", content: long }] }, 400, null],
    ["2,001 messages", "/v1/chat", { messages: Array(2001).fill(HELLO.messages[0]) }, 400, "messages"],
    ["an endless answer", "/v1/chat", { ...HELLO, max_tokens: 2 ** 40 }, 400, "max_tokens"],
    ["21 prompts", "/v1/completions", { prompt: Array(21).fill("x") }, 400, "prompt"],
    ["2,049 texts to embed", "/v1/embeddings", { input: Array(2049).fill("x") }, 400, "input"],
    ["a body of 5 MB", "/v1/chat", { messages: [{ role: "user", content: "x".repeat(5_000_000) }] }, 413, null],
    ["1,000,000 repeats", "/v1/batch-evals", { ...batch, repeats: 1_000_000 }, 400, "repeats"],
    ["1,000,000 calls at once", "/v1/batch-evals", { ...batch, max_concurrency: 1_000_000 }, 400, "max_concurrency"],
    [
      "1,000,000 chunks",
      "/v1/rag/query",
      { index: "x", question: "?", retrieval: { top_k: 1e6 } },
      400,
      "retrieval.top_k",
    ],
  ])("%s", async (_, path, body, status, named) => {
    const response = await send("POST", path, body);
    const { param } = await errorOf(response);
    expect(response.status).toBe(status);
    if (named) expect(param).toStartWith(named);
  });

  test("an evaluation that a viewer starts", async () => {
    const response = await stack.call("POST", "/v1/batch-evals", { key: await stack.keyOf("viewer"), body: batch });
    expect([response.status, (await errorOf(response)).code]).toEqual([403, "insufficient_role"]);
  });

  test("more requests than a key may send, and the refusal says when to retry", async () => {
    const key = await stack.keyOf("member", { requests_per_minute: 3 });
    const statuses: number[] = [];
    let last: Response | undefined;
    for (let n = 0; n < 5; n++) {
      last = await stack.call("POST", "/v1/chat", { key, body: { ...HELLO, max_tokens: 1 } });
      statuses.push(last.status);
    }
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    expect(Number(last?.headers.get("retry-after"))).toBeWithin(1, 62);
  });
});
