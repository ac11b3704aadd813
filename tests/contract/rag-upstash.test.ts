import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startGateway } from "../../gateway/gateway";
import { startWorker } from "../../jobs/worker";
import { silentLog } from "../../lib/log";
import { RagClient } from "../rag-client";
import { standIn } from "../rag-stand-in";
import { until } from "../until";
import { UPSTASH_TOKEN, UpstashServer } from "../upstash-server";
import { type Stack, startStack } from "./stack";

/* A gateway and a jobs worker with Upstash Vector. */

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

let upstash: UpstashServer;
let stack: Stack;
let client: RagClient;
let index: string;
const storeOf = (server: UpstashServer) => ({ vectorUrl: server.url, vectorToken: UPSTASH_TOKEN });
beforeAll(async () => {
  upstash = new UpstashServer();
  stack = await startStack({ tokens: 4, tokenMs: 0 }, { store: storeOf(upstash) });
  client = new RagClient(stack.url, stack.adminKey);
  await until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);
});
afterAll(async () => {
  await stack.close();
  await upstash.stop();
});
beforeEach(async () => {
  index = await client.createIndex();
});

const add = async (texts: Record<string, string>, metadata?: object, to = client): Promise<string[]> => {
  const documents = Object.entries(texts).map(([source, text]) => ({ source, title: source, text, metadata }));
  const added = await to.addTexts(index, ...documents);
  await to.settled(index);
  return added.documents.map(({ id }: Json) => id);
};
const QUERY = { generate: false, retrieval: { threshold: null } };
const search = (question: string, more: object = {}, as = client): Promise<Json> =>
  as.query({ index, question, ...QUERY, ...more });
const inMode = (mode: string, more: object = {}) => ({ retrieval: { threshold: null, mode, ...more } });
const textsOf = ({ chunks }: Json): string[] => chunks.map(({ text }: Json) => text);
/** The number of vectors of a version in the store. */
const stored = (version = 1, server = upstash): number => server.stored[`${index}-${version}`]?.length ?? 0;
const readiness = async (as = stack.url): Promise<Json> => (await fetch(`${as}/readyz`)).json();
const vectorsOf = ({ dependencies }: Json) => dependencies.find(({ name }: Json) => name === "vectors");

describe("with Upstash Vector", () => {
  test("vectors are stored before a document is searchable, and hybrid and vector searches use them", async () => {
    await add({ "a.md": "The ferry leaves at seven.\n\nThe bakery opens at six.", "b.md": "The museum is closed." });
    expect(stored()).toBe(3);
    for (const mode of ["hybrid", "vector"]) {
      const answer = await search("b.md\nThe museum is closed.", inMode(mode));
      expect(textsOf(answer)[0]).toBe("The museum is closed.");
      expect(answer.chunks[0].scores.vector).toBeCloseTo(1, 4);
      expect([answer.degraded, answer.diagnostics.vector_candidates]).toEqual([null, 3]);
    }
    expect(upstash.requests).toContain(`/query/${index}-1`);
  });

  test("every candidate of a hybrid search has both scores, whichever retriever found it", async () => {
    await add({ "a.md": "A harbour.\n\nA lighthouse.\n\nA ferry." });
    const { chunks } = await search("ferry", inMode("hybrid", { candidates: 1 }));
    for (const { scores } of chunks)
      expect([typeof scores.vector, typeof scores.keyword]).toEqual(["number", "number"]);
  });

  test("a filter is applied before ranking", async () => {
    await add({ "a.md": "The ferry leaves at seven." }, { site: "north", year: 2020 });
    await add({ "b.md": "The ferry leaves at eight." }, { site: "south", year: 2024 });
    for (const filter of [{ site: "north" }, { year: { lt: 2022 } }, { or: [{ site: "north" }, { year: 1999 }] }]) {
      const more = { filter, ...inMode("vector", { candidates: 1 }) };
      expect(textsOf(await search("b.md\nThe ferry leaves at eight.", more))).toEqual(["The ferry leaves at seven."]);
    }
    const { status, body } = await client.send("POST", "/v1/rag/query", {
      ...QUERY,
      index,
      question: "ferry",
      filter: { day: { gte: "2026-01-01" } },
    });
    expect([status, body.error.code, body.error.param]).toEqual([400, "invalid_request", "filter"]);
  });

  test("replaced and deleted documents, deleted indexes and retired versions leave no vectors", async () => {
    const [id = ""] = await add({ "a.md": "One.\n\nTwo.\n\nThree.", "b.md": "Four." });
    await add({ "a.md": "Five." });
    await until("the replaced vectors are deleted", async () => stored() === 2);
    expect(textsOf(await search("One.", inMode("vector"))).sort()).toEqual(["Five.", "Four."]);
    await client.delete(`/${index}/documents/${id}`);
    expect(textsOf(await search("Five.", inMode("vector")))).toEqual(["Four."]);
    await add({ "c.md": "Six." });
    await until("the deleted vectors are gone", async () => stored() === 2);
    for (const version of [2, 3, 4]) {
      const chunking = { chunk_tokens: 64 + version, overlap_tokens: 0 };
      await client.send("POST", `/v1/rag/indexes/${index}/versions`, { chunking });
      await until("the version is ready", async () => (await client.read(`/${index}`)).building === null);
    }
    await add({ "d.md": "Seven." });
    await until("only live versions have vectors", async () => {
      const counts = [1, 2, 3, 4].map((version) => stored(version));
      return JSON.stringify(counts) === JSON.stringify([3, 0, 3, 3]);
    });
    await client.delete(`/${index}`);
    const other = await client.createIndex();
    await client.addTexts(other, { text: "Starts a job, which deletes leftovers." });
    await until("the index has no vectors", async () => [1, 2, 3, 4].every((version) => stored(version) === 0));
  });

  test("a match whose chunk is not visible in the index is dropped", async () => {
    await add({ "a.md": "Visible." });
    const other = await client.createIndex();
    await client.addTexts(other, { source: "b.md", title: "b.md", text: "Hidden." });
    await client.settled(other);
    const [vector] = upstash.stored[`${other}-1`] ?? [];
    upstash.copy(`${other}-1`, `${index}-1`);
    expect(upstash.stored[`${index}-1`]).toContain(vector as string);
    for (const mode of ["hybrid", "vector"]) {
      expect(textsOf(await search("b.md\nHidden.", inMode(mode)))).toEqual(["Visible."]);
    }
  });

  test("texts embedded into an index are stored in Upstash too", async () => {
    const body = { input: ["The ferry.", "The bakery."], store: { index, ids: ["a", "b"] } };
    expect((await client.send("POST", "/v1/embeddings", body)).status).toBe(200);
    expect(stored()).toBe(2);
    const answer = await search("The bakery.", inMode("vector"));
    expect([textsOf(answer)[0], answer.degraded]).toEqual(["The bakery.", null]);
  });
});

describe("while Upstash is unreachable", () => {
  afterEach(async () => {
    upstash.restart();
    await until("the gateway knows it", async () => vectorsOf(await readiness()).status === "ok", 20_000);
  });

  test("hybrid searches report that they use only keywords, vector searches fail, and readiness shows it", async () => {
    await add({ "a.md": "Ferry at seven.", "b.md": "Museum closed." });
    await upstash.stop();
    const question = { index, question: "Which ferry?", temperature: 0 };
    const answer = await client.query(question);
    expect([textsOf(answer), answer.degraded, answer.threshold]).toEqual([["Ferry at seven."], "keyword_only", null]);
    expect((await client.query(question)).cache.status).toBe("miss");
    const { status, body } = await client.send("POST", "/v1/rag/query", { ...question, ...inMode("vector") });
    expect([status, body.error.code, body.error.message]).toEqual([
      503,
      "unavailable",
      expect.stringContaining("Use keyword mode, or try again later."),
    ]);
    const labelled = { questions: ["x", "y"].map((each) => ({ question: each, relevant: [] })) };
    expect((await client.send("POST", `/v1/rag/indexes/${index}/calibrate`, labelled)).status).toBe(503);
    const ready = await readiness();
    expect([ready.status, vectorsOf(ready).status]).toEqual(["degraded", "down"]);
    expect(ready.degraded.map(({ code }: Json) => code)).toEqual(["keyword_only"]);
    expect((await stack.call("GET", "/v1/models")).headers.get("x-degraded")).toBe("keyword_only");
  });

  test("ingestion waits for Upstash, and deletions catch up", async () => {
    const [id = ""] = await add({ "a.md": "One." });
    await upstash.stop();
    await client.addTexts(index, { source: "b.md", title: "b.md", text: "Two." });
    await client.delete(`/${index}/documents/${id}`);
    await until("the document is being added", async () => {
      const [document] = (await client.read(`/${index}/documents`)).data;
      return document.state === "reading";
    });
    expect(textsOf(await search("Two."))).toEqual([]);
    upstash.restart();
    await client.settled(index);
    await until("only the new vector is stored", async () => stored() === 1);
    await until("the gateway knows it", async () => vectorsOf(await readiness()).status === "ok", 20_000);
    expect(textsOf(await search("Two.", inMode("vector")))).toEqual(["Two."]);
  });
});

test("after a switch to Upstash, stored vectors are uploaded, and searches report missing vectors until then", async () => {
  const own = await startStack({}, {});
  const local = new RagClient(own.url, own.adminKey);
  const server = new UpstashServer();
  const config = { ...own.config, store: { ...own.config.store, ...storeOf(server) } };
  await until("the gateway knows its node", async () => (await own.call("GET", "/readyz")).status === 200);
  index = await local.createIndex();
  await add({ "a.md": "Ferry at seven.", "b.md": "Museum closed." }, undefined, local);

  const gateway = await startGateway({ ...config, gateway: { ...config.gateway, port: 0 } }, silentLog());
  const switched = new RagClient(gateway.url, own.adminKey);
  await until("it knows its node", async () => (await readiness(gateway.url)).status !== "down");
  const before = await search("Ferry", {}, switched);
  expect([textsOf(before), before.degraded]).toEqual([["Ferry at seven."], "vectors_missing"]);
  const worker = await startWorker(
    { ...config, jobs: { ...config.jobs, gatewayUrl: gateway.url } },
    silentLog(),
    standIn,
  );
  await until("all vectors are uploaded", async () => stored(1, server) === 2);
  const after = await search("b.md\nMuseum closed.", inMode("vector"), switched);
  expect([textsOf(after)[0], after.degraded]).toEqual(["Museum closed.", null]);
  await worker.close(0);
  await gateway.close(0);
  await own.close();
  await server.stop();
});
