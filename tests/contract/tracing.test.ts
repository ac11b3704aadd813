import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ReceivedSpan, startOtlpReceiver } from "../otlp-receiver";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

/* Gateway, node and jobs worker with a collector. All requests are made first: closing the stack sends the last spans. */

const receiver = startOtlpReceiver();
const MODEL = "smollm2-135m-instruct";
const EMBEDDER = "all-minilm-l6-v2";
/** Content that must not be in any span. */
const CANARIES = ["PromptCanary", "StopCanary", "DocumentCanary", "QuestionCanary", "SampleCanary", "FilterCanary"];

const traceIds = new Map<string, string>();
/** A caller's trace context, with flags 01: sampled. */
const traceparent = (name: string, flags = "01"): { traceparent: string } => {
  const traceId = traceIds.getOrInsertComputed(name, () => crypto.randomUUID().replaceAll("-", ""));
  return { traceparent: `00-${traceId}-00f067aa0ba902b7-${flags}` };
};

let stack: Stack;
let spans: ReceivedSpan[];
let adminKey: string;
let runId: string;

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
const send = async (name: string, path: string, body: object, flags?: string): Promise<any> => {
  const response = await stack.call("POST", path, { body, headers: traceparent(name, flags) });
  const text = await response.text();
  return text.startsWith("{") ? JSON.parse(text) : text;
};

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
const read = async (path: string): Promise<any> => (await stack.call("GET", path)).json();

const chat = (more: object = {}) => ({ messages: [{ role: "user", content: "PromptCanary" }], ...more });

const ask = async (): Promise<void> => {
  await send("whole", "/v1/chat", chat({ max_tokens: 3, temperature: 0.5, stop: ["StopCanary"] }));
  await send("stream", "/v1/chat/completions", chat({ stream: true }));
  await send("stored", "/v1/chat", chat({ seed: 7 }));
  await send("hit", "/v1/chat", chat({ seed: 7 }));
  await send("unsampled", "/v1/chat", chat(), "00");
  await send("unknown model", "/v1/chat", chat({ model: "missing" }));
  await send("vectors", "/v1/embeddings", { input: ["PromptCanary"] });
  for (const path of ["/readyz", "/metrics", "/openapi.json", "/assets/app.css"]) await stack.call("GET", path);
};

const askIndex = async (): Promise<void> => {
  const { id } = await send("index", "/v1/rag/indexes", { name: "traced" });
  const text = "DocumentCanary: everyone has 30 days of leave.";
  await send("documents", `/v1/rag/indexes/${id}/documents`, { documents: [{ text, title: "DocumentCanary" }] });
  await until("the document is ready", async () => (await read(`/v1/rag/indexes/${id}`)).status === "ready");
  await send("rag", "/v1/rag/query", {
    index: "traced",
    question: "QuestionCanary?",
    filter: { site: "FilterCanary" },
  });
  await send("answered", "/v1/rag/query", {
    index: "traced",
    question: "QuestionCanary leave?",
    retrieval: { threshold: null },
  });
};

const evaluate = async (): Promise<void> => {
  const samples = [1, 2].map((n) => ({ key: `k${n}`, input: `SampleCanary ${n}?`, references: ["SampleCanary"] }));
  await send("dataset", "/v1/datasets", { name: "traced", samples });
  const plan = { dataset: "traced", target: { kind: "chat" }, evaluators: ["exact@1"] };
  runId = (await send("batch", "/v1/batch-evals", plan)).id;
  await until("the run is completed", async () => (await read(`/v1/batch-evals/${runId}`)).state === "completed");
};

beforeAll(async () => {
  stack = await startStack(
    { tokens: 4 },
    {
      tracing: {
        endpoint: `${receiver.url}/`,
        headers: "x-collector-key=collector%20secret",
        resourceAttributes: "deployment.environment.name=test",
      },
    },
  );
  ({ adminKey } = stack);
  try {
    await ask();
    await askIndex();
    await evaluate();
  } finally {
    await stack.close();
  }
  spans = receiver.spans();
});
afterAll(() => receiver.close());

const inTrace = (traceId: string | undefined): ReceivedSpan[] =>
  spans.filter((span) => span.traceId === traceId).toSorted((a, b) => a.startNs - b.startNs);

const traceOf = (name: string): ReceivedSpan[] => inTrace(traceIds.get(name));

/** The spans below `parentId`, indented, in the order of their start. */
const outline = (all: ReceivedSpan[], parentId: string, indent = ""): string[] =>
  all
    .filter((span) => span.parentId === parentId)
    .flatMap((span) => {
      const process = span.service.replace("groundwire-", "");
      return [`${indent}${process} ${span.kind}: ${span.name}`, ...outline(all, span.spanId, `${indent}  `)];
    });

const spanOf = (name: string, spanName: string): ReceivedSpan => {
  const found = traceOf(name).find((span) => span.name === spanName);
  if (!found) throw new Error(`No span ${spanName}: ${traceOf(name).map((span) => span.name)}`);
  return found;
};

const CALLER = "00f067aa0ba902b7";
const GENERATED = [
  `  gateway client: chat ${MODEL}`,
  "    gpu-node server: POST /v1/chat/completions",
  "      gpu-node internal: queue",
  "      gpu-node internal: prefill",
  "      gpu-node internal: decode",
];

describe("a request is one trace from the caller's span to the node's slot", () => {
  test("with GenAI attributes", () => {
    expect(outline(traceOf("whole"), CALLER)).toEqual(["gateway server: POST /v1/chat", ...GENERATED]);
    expect(spanOf("whole", "POST /v1/chat").attributes).toMatchObject({
      "http.request.method": "POST",
      "http.route": "/v1/chat",
      "http.response.status_code": 200,
      "url.scheme": "http",
      "groundwire.request.id": expect.stringMatching(/^req_/),
      "groundwire.key.id": expect.stringMatching(/^key_/),
    });
    expect(spanOf("whole", `chat ${MODEL}`).attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "groundwire",
      "gen_ai.request.model": MODEL,
      "gen_ai.response.model": MODEL,
      "gen_ai.request.max_tokens": 3,
      "gen_ai.request.temperature": 0.5,
      "gen_ai.request.stream": false,
      "gen_ai.usage.output_tokens": 3,
      "gen_ai.usage.input_tokens": expect.any(Number),
      "groundwire.cache.status": "bypass",
      "groundwire.queue_ms": expect.any(Number),
    });
    expect(spanOf("whole", "POST /v1/chat/completions").attributes).toMatchObject({
      "gen_ai.response.finish_reasons": ["length"],
      "gen_ai.usage.output_tokens": 3,
    });
  });

  test("if it streams", () => {
    expect(outline(traceOf("stream"), CALLER)).toEqual(["gateway server: POST /v1/chat/completions", ...GENERATED]);
    const { attributes } = spanOf("stream", `chat ${MODEL}`);
    expect(attributes["gen_ai.response.time_to_first_chunk"]).toBeGreaterThan(0);
  });

  test("if the answer is stored", () => {
    expect(outline(traceOf("hit"), CALLER)).toEqual([
      "gateway server: POST /v1/chat",
      `  gateway client: chat ${MODEL}`,
    ]);
    const { attributes } = spanOf("hit", `chat ${MODEL}`);
    expect(attributes).toMatchObject({ "groundwire.cache.status": "hit", "groundwire.cache.source": "memory" });
    expect(Object.keys(attributes).filter((name) => name.startsWith("gen_ai.usage"))).toEqual([]);
  });

  test("with the kind of its error, which is only marked as an error if a server caused it", () => {
    const request = spanOf("unknown model", "POST /v1/chat");
    expect([request.attributes["error.type"], request.isError]).toEqual(["model_not_found", false]);
  });

  test("if it embeds", () => {
    expect(outline(traceOf("vectors"), CALLER)).toEqual([
      "gateway server: POST /v1/embeddings",
      `  gateway client: embeddings ${EMBEDDER}`,
      "    gpu-node server: POST /v1/embeddings",
      "      gpu-node internal: queue",
      "      gpu-node internal: embed",
    ]);
  });

  test("if it answers from an index", () => {
    const [request, retrieval] = outline(traceOf("answered"), CALLER).map((line) => line.replace(/idx_\w+/, "idx"));
    expect([request, retrieval]).toEqual(["gateway server: POST /v1/rag/query", "  gateway internal: retrieval idx"]);
    const found = traceOf("answered").find(({ name }) => name.startsWith("retrieval"));
    expect(outline(traceOf("answered"), found?.spanId ?? "").slice(0, 2)).toEqual([
      `gateway client: embeddings ${EMBEDDER}`,
      "  gpu-node server: POST /v1/embeddings",
    ]);
    expect(found?.attributes).toMatchObject({
      "gen_ai.operation.name": "retrieval",
      "gen_ai.data_source.id": expect.stringMatching(/^idx_/),
      "groundwire.retrieval.chunks": 1,
      "groundwire.retrieval.embed_ms": expect.any(Number),
    });
    expect(traceOf("answered").map(({ name }) => name)).toContain("grounding");
  });

  test("or none, if the caller does not sample it", () => {
    expect(traceOf("unsampled")).toEqual([]);
  });
});

describe("jobs", () => {
  const tasks = (kind: string) => spans.filter(({ name }) => name === `task ${kind}`);

  test("are a trace with the calls to the gateway and its nodes", () => {
    const [task] = tasks("rag-ingest");
    expect(task).toMatchObject({ service: "groundwire-jobs", kind: "consumer", parentId: "" });
    expect(outline(inTrace(task?.traceId), task?.spanId ?? "")).toContain("gateway server: POST /v1/embeddings");
  });

  test.each([
    ["rag-ingest", /^POST \/v1\/rag\/indexes\/[^ ]+\/documents/],
    ["batch_eval", /^POST \/v1\/batch-evals$/],
  ])("of %s link each task to the request that created the job", (kind, route) => {
    const [task] = tasks(kind);
    const [link] = task?.links ?? [];
    const creator = spans.find(({ traceId, spanId }) => traceId === link?.traceId && spanId === link.spanId);
    expect(creator).toMatchObject({
      service: "groundwire-gateway",
      kind: "server",
      name: expect.stringMatching(route),
    });
  });

  test("evaluate each sample in its own trace, linked to the run's task", () => {
    const [task] = tasks("batch_eval");
    const samples = spans.filter(({ name }) => name === "evaluate sample");
    expect(samples.map(({ attributes }) => attributes["groundwire.run.id"])).toEqual([runId, runId]);
    expect(new Set(samples.map(({ traceId }) => traceId)).size).toBe(2);
    for (const sample of samples) {
      expect(sample.links).toEqual([{ traceId: task?.traceId ?? "", spanId: task?.spanId ?? "" }]);
      expect(outline(inTrace(sample.traceId), sample.spanId)).toEqual(["gateway server: POST /v1/chat", ...GENERATED]);
      expect(sample.events).toMatchObject([
        { name: "gen_ai.evaluation.result", attributes: { "gen_ai.evaluation.score.label": "fail" } },
      ]);
      expect(sample.attributes).toMatchObject({ "groundwire.sample.state": "done", "groundwire.sample.passed": false });
    }
  });
});

test("the collector gets the configured headers and the process's attributes", () => {
  const [first] = receiver.state.requests;
  expect([first?.path, first?.headers.get("x-collector-key")]).toEqual(["/v1/traces", "collector secret"]);
  expect(new Set(spans.map(({ service }) => service))).toEqual(
    new Set(["groundwire-gateway", "groundwire-gpu-node", "groundwire-jobs"]),
  );
  for (const { resource } of spans) expect(resource["deployment.environment.name"]).toBe("test");
});

test("probes, files and the OpenAPI document are not traced", () => {
  const routes = new Set(spans.map(({ attributes }) => attributes["http.route"]));
  expect(routes.has("/v1/chat")).toBe(true);
  for (const route of ["/readyz", "/metrics", "/openapi.json", "/assets/:file"]) expect(routes.has(route)).toBe(false);
});

test("X1 no span contains content or a key", () => {
  const everything = receiver.state.requests.map(({ body }) => Buffer.from(body).toString("latin1")).join("\n");
  expect(spans.length).toBeGreaterThan(50);
  expect([...CANARIES, adminKey].filter((canary) => everything.includes(canary))).toEqual([]);
});

test("every span ends after it starts, and within the span that contains it", () => {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const SLACK_NS = 5_000_000;
  const wrong = spans.filter((span) => {
    const parent = byId.get(span.parentId);
    if (span.endNs < span.startNs) return true;
    return parent !== undefined && span.startNs < parent.startNs - SLACK_NS;
  });
  expect(wrong.map(({ name }) => name)).toEqual([]);
});
