import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { queryAtRandom } from "../faults/rag-isolation";
import { RagClient } from "../rag-client";
import { until } from "../until";
import { API_ROUTES } from "./api-routes";
import { changeKey, createKey, createSide, createSides, type Side, shows, TOPICS } from "./rag-sides";
import { type Stack, startStack } from "./stack";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

let stack: Stack;
let admin: RagClient;
beforeAll(async () => {
  stack = await startStack({ tokens: 4, tokenMs: 0 });
  admin = new RagClient(stack.url, stack.adminKey);
  await until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);
});
afterAll(() => stack.close());

const ask = (client: RagClient, body: object, headers?: Record<string, string>) =>
  client.send("POST", "/v1/rag/query", { temperature: 0, ...body }, headers);
const ownAnswer = async ({ client, index }: Side, body: object): Promise<Json> => client.query({ index, ...body });
const refusalOf = ({ status, body }: { status: number; body: Json }) => [status, body.error?.code, body.error?.param];
const NOT_FOUND = [404, "not_found", "index"];

const QUESTION = "What is the code of the ferry?";

describe("R1: another key's index", () => {
  let own: Side;
  let other: Side;
  beforeAll(async () => {
    [own, other] = await createSides(stack);
  });

  test("can't be distinguished from one that doesn't exist, on any route, by id or by name", async () => {
    const routes = API_ROUTES.filter(({ path }) => path.startsWith("/v1/rag/indexes/:id"));
    expect(routes.length).toBeGreaterThan(10);
    const questions = ["x", "y"].map((question) => ({ question, relevant: [] }));
    const bodies: Record<string, object> = {
      "PATCH /v1/rag/indexes/:id": { description: "x" },
      "POST /v1/rag/indexes/:id/versions": { chunking: { chunk_tokens: 64, overlap_tokens: 0 } },
      "POST /v1/rag/indexes/:id/documents": { documents: [{ text: "x" }] },
      "POST /v1/rag/indexes/:id/calibrate": { questions },
      "POST /v1/rag/indexes/:id/compare": { b: 2, questions },
    };
    const [document = ""] = other.documents.values();
    const calls = [
      ...routes.map(({ route, method, path }) => ({
        method,
        pathOf: (index: string) =>
          path.replace(":id", index).replace(":document_id", document).replace(":version", "1"),
        bodyOf: () => (method === "GET" ? undefined : bodies[route]),
      })),
      ...[{}, { stream: true }, { generate: false }, { history: [{ role: "user", content: "Hello" }] }].map((more) => ({
        method: "POST",
        pathOf: () => "/v1/rag/query",
        bodyOf: (index: string) => ({ index, question: QUESTION, ...more }),
      })),
    ];
    for (const { method, pathOf, bodyOf } of calls) {
      const [byId, byName, missing] = await Promise.all(
        [other.index, other.name, "idx_missing"].map(async (index) => {
          const { status, body } = await own.client.send(method, pathOf(index), bodyOf(index));
          return [status, JSON.stringify({ ...body?.error, request_id: "" }).replaceAll(index, "INDEX")];
        }),
      );
      expect([method, pathOf("INDEX"), byId, byName]).toEqual([method, pathOf("INDEX"), missing, missing]);
      expect([404, 501]).toContain(missing?.[0] as number);
    }
    expect((await admin.read(`/${other.index}`)).documents).toBe(TOPICS.length);
  });

  test("has documents, texts and chunks that can't be read, deleted or replaced through the caller's own index", async () => {
    const [id = ""] = other.documents.values();
    const { content_hash } = await admin.read(`/${other.index}/documents/${id}`);
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/retry"],
      ["GET", "/text"],
      ["GET", `/text?hash=${content_hash}`],
      ["GET", "/chunks"],
    ] as const) {
      const reply = await own.client.send(method, `/v1/rag/indexes/${own.index}/documents/${id}${path}`);
      expect([method, path, refusalOf(reply)]).toEqual([method, path, [404, "not_found", "document_id"]]);
    }
    const { documents } = await own.client.addTexts(own.index, { id, text: "Mine.", source: "mine.md" });
    expect(documents[0]).toMatchObject({ id, outcome: "added" });
    await own.client.settled(own.index);
    expect((await own.client.read(`/${own.index}/documents/${id}/text`)).text).toBe("Mine.");
    expect((await admin.read(`/${other.index}/documents/${id}/text`)).text).toContain(other.colour);
    await own.client.delete(`/${own.index}/documents/${id}`);
  });

  test("appears in no list", async () => {
    for (const { client, index } of [own, other]) {
      const { data, next_cursor } = await client.read("?limit=100");
      expect([data.map(({ id }: Json) => id), next_cursor]).toEqual([[index], null]);
    }
  });

  test.each<[string, object]>([
    ["filter on its metadata", { filter: { colour: "azure" } }],
    ["filter with or", { filter: { or: [{ colour: "azure" }, { topic: "ferry" }] } }],
    ["filter with in", { filter: { colour: { in: ["azure", "crimson"] } } }],
    ["question with its words", { question: "azure azure code of the ferry" }],
    ["history about it", { history: [{ role: "user", content: "Tell me about azure" }] }],
    ["top_k that takes everything", { retrieval: { top_k: 100, candidates: 1000 } }],
    ["search by keywords", { retrieval: { mode: "keyword", top_k: 100 } }],
    ["search by vectors", { retrieval: { mode: "vector", top_k: 100 } }],
    ["answer", { generate: true }],
  ])("is not reached by a %s", async (_, more) => {
    const { question, filter, ...answer } = await ownAnswer(own, { question: QUESTION, generate: false, ...more });
    expect(shows(answer, other)).toBe(false);
    const chunks: Json[] = answer.chunks;
    expect(chunks.every(({ document_id }) => [...own.documents.values()].includes(document_id))).toBe(true);
  });

  test("does not appear in cached answers, even if both keys share a namespace", async () => {
    await stack.call("POST", "/v1/cache/share", { body: { namespace: "team", keys: [own.keyId, other.keyId] } });
    const question = `${QUESTION} ${crypto.randomUUID()}`;
    const [first, second] = [await ownAnswer(other, { question }), await ownAnswer(other, { question })];
    expect([first.cache.status, second.cache.status]).toEqual(["miss", "hit"]);
    for (const index of [other.index, other.name]) {
      for (const headers of [undefined, { "cache-control": "only-if-cached" }]) {
        expect(refusalOf(await ask(own.client, { index, question }, headers))).toEqual(NOT_FOUND);
      }
    }
    const mine = await ownAnswer(own, { question });
    expect([mine.cache.status, shows(mine, other), shows(mine, own)]).toEqual(["miss", false, true]);
    await stack.call("POST", "/v1/cache/share", { body: { namespace: "team", keys: [] } });
  });

  test("is not reached by a page's session: the API needs a key, and the session has the key's indexes", async () => {
    const { sessions, indexes } = stack.gateway.services;
    const { cookie, principal } = await sessions.signIn(own.client.key);
    const headers = { cookie: `groundwire=${cookie}` };
    const response = await stack.call("POST", "/v1/rag/query", {
      key: null,
      headers,
      body: { index: own.index, question: QUESTION },
    });
    expect(response.status).toBe(401);
    expect((await indexes.open(principal, own.name)).id).toBe(own.index);
    expect(indexes.open(principal, other.index)).rejects.toMatchObject({ kind: "not_found" });
    await changeKey(stack, own.keyId, []);
    const after = await sessions.verify(cookie);
    expect(after?.allowedIndexes).toEqual([]);
    await changeKey(stack, own.keyId, [own.index]);
  });
});

describe("after a key has lost access to an index", () => {
  test("the next query, its citations, and stored answers no longer show it", async () => {
    const side = await createSide(stack, "crimson", "name");
    const { client, index, name, keyId } = side;
    const question = { index, question: QUESTION };
    await client.query(question);
    expect((await client.query(question)).cache.status).toBe("hit");
    const [document = ""] = side.documents.values();
    const { content_hash: hash } = await client.read(`/${index}/documents/${document}`);
    await changeKey(stack, keyId, ["another"]);
    for (const body of [question, { ...question, index: name }, { ...question, stream: true }]) {
      expect(refusalOf(await ask(client, body))).toEqual(NOT_FOUND);
      expect(refusalOf(await ask(client, body, { "cache-control": "only-if-cached" }))).toEqual(NOT_FOUND);
    }
    for (const path of ["", `/text?hash=${hash}`, "/chunks"]) {
      const reply = await client.send("GET", `/v1/rag/indexes/${index}/documents/${document}${path}`);
      expect(refusalOf(reply)).toEqual(NOT_FOUND);
    }
    await changeKey(stack, keyId, [index]);
    expect((await client.query(question)).cache.status).toBe("hit");
  });

  test("repeated requests with an Idempotency-Key are rejected instead of replayed", async () => {
    const name = `own-${crypto.randomUUID()}`;
    const { id, key } = await createKey(stack, [name]);
    const client = new RagClient(stack.url, key);
    const repeat = { "idempotency-key": crypto.randomUUID() };
    const create = () => client.send("POST", "/v1/rag/indexes", { name }, repeat);
    const { status, body: made } = await create();
    expect(status).toBe(201);
    const paths = {
      [`/v1/rag/indexes/${made.id}/documents`]: { documents: [{ text: "One." }] },
      [`/v1/rag/indexes/${made.id}/versions`]: { chunking: { chunk_tokens: 64, overlap_tokens: 0 } },
    };
    const post = (path: string, body: object) => client.send("POST", path, body, repeat);
    for (const [path, body] of Object.entries(paths)) {
      const first = await post(path, body);
      expect([first.status, (await post(path, body)).body]).toEqual([202, first.body]);
    }
    await changeKey(stack, id, ["another"]);
    for (const [path, body] of Object.entries(paths)) expect(refusalOf(await post(path, body))).toEqual(NOT_FOUND);
    expect(refusalOf(await create())).toEqual([403, "insufficient_role", "name"]);
  });
});

describe("after a deletion", () => {
  test("of a document, the next query, its citations and stored answers no longer show it", async () => {
    const side = await createSide(stack, "crimson", "id");
    const { client, index } = side;
    const bodies = [{}, { generate: false }, { generate: false, retrieval: { mode: "keyword" } }].map((more) => ({
      index,
      question: QUESTION,
      ...more,
    }));
    const document = side.documents.get("ferry.md") ?? "";
    for (const body of bodies) {
      const answer = await client.query(body);
      expect(answer.chunks[0].document_id).toBe(document);
      expect((await client.query(body)).cache.status).toBe("hit");
    }
    const { content_hash: hash } = await client.read(`/${index}/documents/${document}`);
    await client.delete(`/${index}/documents/${document}`);
    for (const body of bodies) {
      const answer = await client.query(body);
      expect([answer.cache.status, JSON.stringify(answer).includes(document)]).toEqual(["miss", false]);
      expect(JSON.stringify(answer.chunks)).not.toContain("the ferry");
    }
    for (const path of ["", `/text?hash=${hash}`, "/chunks"]) {
      const reply = await client.send("GET", `/v1/rag/indexes/${index}/documents/${document}${path}`);
      expect(refusalOf(reply)).toEqual([404, "not_found", "document_id"]);
    }
  });

  test("of an index, neither its id, nor its name, nor a new index of that name shows it", async () => {
    const side = await createSide(stack, "azure", "name");
    const { client, index, name } = side;
    const [document = ""] = side.documents.values();
    const question = { question: QUESTION };
    await client.query({ index: name, ...question });
    await admin.delete(`/${index}`);
    for (const handle of [index, name]) {
      for (const headers of [undefined, { "cache-control": "only-if-cached" }]) {
        expect(refusalOf(await ask(client, { index: handle, ...question }, headers))).toEqual(NOT_FOUND);
      }
    }
    expect(refusalOf(await client.send("GET", `/v1/rag/indexes/${index}/documents/${document}/text`))).toEqual(
      NOT_FOUND,
    );
    await client.createIndex({ name });
    const answer = await client.query({ index: name, ...question });
    expect([answer.status, answer.chunks, shows(answer, side)]).toEqual(["no_relevant_context", [], false]);
  });
});

test("random queries and reads of runs by both keys never show the other's index, while access and documents change", async () => {
  const report = await queryAtRandom(stack, { milliseconds: 10_000, seed: 1 });
  console.log(`${report.queries} queries, ${report.runReads} reads of runs, ${report.changes} changes`);
  expect(report.wrong).toEqual([]);
  expect(Math.min(report.queries, report.runReads)).toBeGreaterThan(0);
}, 60_000);
