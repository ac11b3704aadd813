import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { problemOf } from "../../tests/db/temporary";
import { UPSTASH_TOKEN, UpstashServer } from "../../tests/upstash-server";
import { vectorsContract } from "../ports/vectors.contract";
import { upstashVectors } from "./vectors-upstash";
import { upstashFilter } from "./vectors-upstash-filter";

const servers: UpstashServer[] = [];
afterAll(() => Promise.all(servers.map((server) => server.stop())));

const start = () => {
  const server = new UpstashServer();
  servers.push(server);
  return server;
};

vectorsContract("Upstash", () => upstashVectors({ url: start().url, token: UPSTASH_TOKEN }));

describe("failures", () => {
  let server: UpstashServer;
  beforeEach(() => {
    server = start();
  });
  afterEach(() => server.stop());
  const store = (token = UPSTASH_TOKEN) => upstashVectors({ url: server.url, token, backoffMs: 1 });
  const query = { vector: Float32Array.of(1, 0), topK: 1, filter: null };

  test.each([500, 502, 503, 429])("a request is retried after status %d", async (status) => {
    server.failNext({ status }, { status });
    await store().upsert("a", [{ id: "1", vector: Float32Array.of(1, 0), metadata: {} }]);
    expect(await store().query("a", query)).toEqual([{ id: "1", score: 1 }]);
    expect(server.requests).toEqual(["/upsert/a", "/upsert/a", "/upsert/a", "/query/a"]);
  });

  test("the store's own retry-after is respected", async () => {
    server.failNext({ status: 429, headers: { "retry-after": "0" } });
    const slow = upstashVectors({ url: server.url, token: UPSTASH_TOKEN, backoffMs: 1_000_000 });
    expect(await slow.query("a", query)).toEqual([]);
  });

  test("a request fails with unavailable after 4 attempts", async () => {
    server.failNext(...Array.from({ length: 4 }, () => ({ status: 503 })));
    const { kind, message } = await problemOf(store().query("a", query));
    expect([kind, message]).toEqual([
      "unavailable",
      "The vector store returned status 503 after 4 attempts. Try again in a moment.",
    ]);
    expect(server.requests.length).toBe(4);
  });

  test("a store that can't be reached is unavailable", async () => {
    await server.stop();
    const { kind, message } = await problemOf(store().query("a", query));
    expect([kind, message]).toEqual([
      "unavailable",
      "The vector store can't be reached after 4 attempts. Try again in a moment.",
    ]);
  });

  test("a vector with a different dimension is a conflict", async () => {
    await store().upsert("a", [{ id: "1", vector: Float32Array.of(1, 0), metadata: {} }]);
    const { kind, message } = await problemOf(store().query("a", { ...query, vector: Float32Array.of(1, 0, 0) }));
    expect([kind, message]).toEqual([
      "conflict",
      "The dimension of the Upstash index differs from the embedding model's. Create an Upstash index with the model's dimension, or use another model.",
    ]);
  });

  test("the check fails for an index that doesn't use cosines", async () => {
    server.similarity = "DOT_PRODUCT";
    const { kind, message } = await problemOf(store().check());
    expect([kind, message]).toEqual([
      "upstream_error",
      "The Upstash index uses the similarity function DOT_PRODUCT. Create one that uses COSINE.",
    ]);
  });

  test("a wrong token is not retried, and the error names the setting", async () => {
    const { kind, message } = await problemOf(store("wrong").query("a", query));
    expect([kind, message]).toEqual([
      "upstream_error",
      "The vector store rejected the request with status 401. Check UPSTASH_VECTOR_REST_TOKEN.",
    ]);
    expect(server.requests.length).toBe(1);
  });
});

test.each([
  [{ "two words": "x" }, 'The vector store can\'t filter on the field "two words". Use letters, digits and _.'],
  [{ day: { gte: "2026-01-01" } }, "The vector store compares only numbers: `day.gte` must be a number."],
  [{ name: `'"` }, "The vector store can't filter on a value that has both kinds of quotes. Choose another value."],
])("the filter %j is rejected before it is sent", (filter, message) => {
  expect(() => upstashFilter(filter)).toThrow(message);
});
