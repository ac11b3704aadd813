import { beforeEach, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { AppError, type ErrorEnvelope } from "../../../lib/errors";
import { silentLog } from "../../../lib/log";
import { PRINCIPAL } from "../../../tests/principal";
import { ActiveRequests } from "../../active-requests";
import { http } from "../../http/plugin";
import type { Role } from "../../principal";
import type { RagAnswer, RagEvent } from "../contract";
import { queryRoutes } from "./routes";
import type { RagService } from "./service";

const ANSWER = {
  answer: "Everyone has 30 days [1].",
  diagnostics: { stages_ms: { embed: 1, generation: 20, total: 25 } },
  cache: { status: "miss" },
} as RagAnswer;
const RETRIEVAL = { type: "retrieval", chunks: [], cache: { status: "miss" } } as unknown as RagEvent;
const TOKEN: RagEvent = { type: "token", text: "Everyone" };

let role: Role;
let rag: RagService;
let hasLeft: boolean;
beforeEach(() => {
  role = "member";
  hasLeft = false;
  rag = {
    query: async () => ANSWER,
    async *events() {
      try {
        yield RETRIEVAL;
        yield TOKEN;
        yield { type: "done", answer: ANSWER };
      } finally {
        hasLeft = true;
      }
    },
  };
});

const send = (body: object) => {
  const app = new Elysia({ normalize: false });
  app
    .use(
      http({
        verifyKey: () => ({ ...PRINCIPAL, role }),
        verifyWorker: () => Promise.reject(new Error("not a worker")),
        verifySession: () => undefined,
        reserve: () => ({ addHeaders: () => undefined, release: () => undefined }),
        recorder: { request: () => undefined, generation: () => undefined },
        requestLog: { add: () => {}, replace: () => {} },
        activeRequests: new ActiveRequests(),
        log: silentLog(),
        bodyLimits: { maxBytes: 1_000_000, maxUploadBytes: 1_000_000 },
        reduced: () => undefined,
        routes: () => app.routes,
      }),
    )
    .use(queryRoutes({ rag }));
  const headers = { authorization: "Bearer key", "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify({ index: "handbook", question: "Days?", ...body }) };
  return app.handle(new Request("http://localhost/v1/rag/query", init));
};
const errorOf = async (response: Response) => ((await response.json()) as ErrorEnvelope).error;

test("200 with the answer, and with its cache status and stage times in headers", async () => {
  const response = await send({});
  expect([response.status, await response.json()]).toEqual([200, ANSWER]);
  expect(response.headers.get("cache-status")).toContain("fwd=miss");
  expect(response.headers.get("server-timing")).toBe("embed;dur=1, generation;dur=20, total;dur=25");
});

test("400 names the invalid field", async () => {
  const response = await send({ retrieval: { top_k: 0 } });
  expect([response.status, (await errorOf(response)).param]).toEqual([400, "retrieval.top_k"]);
});

test("403 for a key with read-only access", async () => {
  role = "viewer";
  expect((await send({})).status).toBe(403);
});

test("404 for an index that doesn't exist", async () => {
  rag.query = async () => Promise.reject(new AppError("not_found", "Index not found.", { param: "index" }));
  const response = await send({});
  expect([response.status, (await errorOf(response)).param]).toEqual([404, "index"]);
});

describe("a stream", () => {
  test("sends one frame per event, then [DONE]", async () => {
    const response = await send({ stream: true });
    expect(response.headers.get("content-type")).toStartWith("text/event-stream");
    const frames = (await response.text()).split("\n\n").filter(Boolean);
    expect(frames.at(-1)).toBe("data: [DONE]");
    expect(frames.slice(0, -1).map((frame) => JSON.parse(frame.slice("data: ".length)).type)).toEqual([
      "retrieval",
      "token",
      "done",
    ]);
  });

  test("returns the error's status if it fails before the first event", async () => {
    // biome-ignore lint/correctness/useYield: it is rejected before the first event
    rag.events = async function* () {
      throw new AppError("not_found", "Index not found.", { param: "index" });
    };
    expect((await send({ stream: true })).status).toBe(404);
  });

  test("ends with the error and without [DONE] if it fails later", async () => {
    rag.events = async function* () {
      yield RETRIEVAL;
      throw new AppError("overloaded", "The queue is full.");
    };
    const response = await send({ stream: true });
    const text = await response.text();
    expect([response.status, text.includes('"code":"overloaded"'), text.includes("[DONE]")]).toEqual([
      200,
      true,
      false,
    ]);
  });

  test("stops when the client disconnects", async () => {
    const response = await send({ stream: true });
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(hasLeft).toBe(true);
  });
});
