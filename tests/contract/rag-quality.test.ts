import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

// biome-ignore lint/suspicious/noExplicitAny: a response as a client sees it
type Json = any;

let stack: Stack;
let index: string;
/** Ids of the documents about leave, offices and tea. */
let documents: string[];

const call = async (method: string, path: string, body?: unknown, key?: string): Promise<[number, Json]> => {
  const response = await stack.call(method, `/v1/rag/indexes${path}`, { body, ...(key && { key }) });
  return [response.status, await response.json()];
};
const calibrate = (body: object, key?: string) => call("POST", `/${index}/calibrate`, body, key);

beforeAll(async () => {
  stack = await startStack();
  await until("the index can be created", async () => {
    const [status, created] = await call("POST", "", { name: "calibrated" });
    index = created.id;
    return status === 201;
  });
  const texts = ["Everyone has thirty days of leave", "The company has twelve offices", "Tea is served at four"];
  const [, added] = await call("POST", `/${index}/documents`, {
    documents: texts.map((text, at) => ({ text, source: `${at}.md` })),
  });
  documents = added.documents.map(({ id }: Json) => id);
  await until(
    "the documents are searchable",
    async () => (await call("GET", `/${index}`))[1].ingestion?.ended_at !== null,
  );
});
afterAll(() => stack.close());

const QUESTIONS = () => [
  { question: "Everyone has thirty days of leave", relevant: [documents[0]] },
  { question: "The company has twelve offices", relevant: [documents[1]] },
  { question: "volcano eruption schedule", relevant: [] },
];

describe("calibration", () => {
  test("measures retrieval and suggests a threshold from its curve, without changing the index", async () => {
    const [, before] = await call("GET", `/${index}`);
    const [status, result] = await calibrate({ questions: QUESTIONS(), retrieval: { top_k: 2 } });
    expect(status).toBe(200);
    expect(result).toMatchObject({ answerable: 2, unanswerable: 1, k: 2, score: "relevance" });
    for (const metric of ["recall_at_k", "mrr", "ndcg_at_k"]) {
      expect(result[metric].value).toBe(1);
      expect(result[metric].interval).toMatchObject({ high: 1, level: 0.95 });
    }
    expect(result.curve[0]).toMatchObject({ false_answers: 1, false_refusals: 0 });
    expect(result.curve.at(-1)).toMatchObject({ false_answers: 0, false_refusals: 1 });
    expect(result.suggested).toMatchObject({ false_answers: 0, false_refusals: 0 });
    expect(result.curve).toContainEqual(result.suggested);
    expect((await call("GET", `/${index}`))[1]).toEqual(before);
  });

  test("counts ids of chunks as well as ids of documents", async () => {
    const [, { data }] = await call("GET", `/${index}/documents/${documents[2]}/chunks`);
    const questions = [
      { question: "Tea is served at four", relevant: [data[0].id] },
      { question: "Tea is served at four", relevant: ["chunk_unknown"] },
    ];
    const [, result] = await calibrate({ questions });
    expect(result.recall_at_k.value).toBe(0.5);
  });

  test("finds documents by their source", async () => {
    const questions = [
      { question: "Tea is served at four", relevant: ["2.md"] },
      { question: "Tea is served at four", relevant: ["1.md"] },
    ];
    const [, result] = await calibrate({ questions, retrieval: { top_k: 1 } });
    expect(result.recall_at_k.value).toBe(0.5);
  });

  test("suggests nothing without both kinds of questions, or in a mode without the score", async () => {
    const [, onlyAnswerable] = await calibrate({ questions: QUESTIONS().slice(0, 2) });
    expect(onlyAnswerable).toMatchObject({ unanswerable: 0, curve: [], suggested: null });
    const [, onlyUnanswerable] = await calibrate({ questions: QUESTIONS().map((each) => ({ ...each, relevant: [] })) });
    expect(onlyUnanswerable).toMatchObject({ answerable: 0, mrr: null, curve: [], suggested: null });
    const [, keyword] = await calibrate({ questions: QUESTIONS(), retrieval: { mode: "keyword" } });
    expect(keyword).toMatchObject({ score: null, curve: [], suggested: null, recall_at_k: { value: 1 } });
  });

  test("compares another score if the threshold names it", async () => {
    const retrieval = { threshold: { score: "fused", value: 0.5 } };
    const [, result] = await calibrate({ questions: QUESTIONS(), retrieval });
    expect(result.score).toBe("fused");
  });
});

/** Builds a version with shorter chunks and waits until it is ready. */
const buildVersion = async (): Promise<number> => {
  const [, { version }] = await call("POST", `/${index}/versions`, {
    chunking: { chunk_tokens: 16, overlap_tokens: 0 },
  });
  await until("the version is ready", async () => {
    const [, { data }] = await call("GET", `/${index}/versions`);
    return data.find((each: Json) => each.version === version)?.state === "ready";
  });
  return version;
};

describe("a comparison", () => {
  let b: number;
  const compare = (body: object, key?: string) => call("POST", `/${index}/compare`, { b, ...body }, key);
  beforeAll(async () => {
    b = await buildVersion();
  });

  test("measures two versions on the same questions, and changes nothing", async () => {
    const [, before] = await call("GET", `/${index}`);
    const [status, result] = await compare({ questions: QUESTIONS(), retrieval: { top_k: 2 } });
    expect(status).toBe(200);
    expect(result).toMatchObject({ a: 1, b, k: 2, n: 2, left_out: 1, verdict: "not_shown" });
    expect(result.summary).toContain("No difference shown: nDCG@2 is 1.000 with version 2 and 1.000 with version 1");
    expect(result.metrics.map(({ metric, a, b }: Json) => [metric, a, b])).toEqual([
      ["ndcg_at_k", 1, 1],
      ["recall_at_k", 1, 1],
      ["mrr", 1, 1],
    ]);
    expect(result.questions.map(({ position, difference }: Json) => [position, difference])).toEqual([
      [0, 0],
      [1, 0],
    ]);
    expect((await call("GET", `/${index}`))[1]).toEqual(before);
  });

  test("uses the version given as a instead of the active one", async () => {
    const [, result] = await compare({ a: b, b: 1, questions: QUESTIONS() });
    expect(result).toMatchObject({ a: b, b: 1 });
  });

  test("400 for the same version twice, for chunks, and without a question to compare", async () => {
    const refused = async (body: object) => {
      const [status, { error }] = await compare(body);
      return [status, error.param];
    };
    expect(await refused({ b: 1, questions: QUESTIONS() })).toEqual([400, "b"]);
    const chunk = { question: "Tea?", relevant: ["chunk_unknown"] };
    expect(await refused({ questions: [chunk] })).toEqual([400, "questions.0.relevant"]);
    expect(await refused({ questions: QUESTIONS().slice(2) })).toEqual([400, "questions"]);
  });

  test("403 for a key that may not edit, 404 for an unknown version", async () => {
    expect((await compare({ questions: QUESTIONS() }, await stack.keyOf("member")))[0]).toBe(403);
    expect((await compare({ b: 7, questions: QUESTIONS() }))[0]).toBe(404);
  });
});

describe("a calibration is refused", () => {
  test("404 for a reranker, which no node has", async () => {
    const [status, { error }] = await calibrate({ questions: QUESTIONS(), retrieval: { rerank: true } });
    expect([status, error.code, error.param]).toEqual([404, "model_not_found", "retrieval.rerank"]);
  });

  test("400 for a document that the index doesn't have", async () => {
    const questions = [...QUESTIONS(), { question: "Coffee?", relevant: [documents[0], "coffee.md"] }];
    const [status, { error }] = await calibrate({ questions });
    expect([status, error.param]).toEqual([400, "questions.3.relevant.1"]);
    expect(error.message).toContain('No document of this index has the id or file name "coffee.md".');
  });

  test("403 for a key that may not edit", async () => {
    const [status] = await calibrate({ questions: QUESTIONS() }, await stack.keyOf("member"));
    expect(status).toBe(403);
  });

  test("404 for an index that the key may not use, and for a version that doesn't exist", async () => {
    const key = await stack.keyOf("editor", { allowed_indexes: ["another"] });
    expect((await calibrate({ questions: QUESTIONS() }, key))[0]).toBe(404);
    const [status, { error }] = await calibrate({ questions: QUESTIONS(), version: 7 });
    expect([status, error.param]).toEqual([404, "version"]);
  });
});
