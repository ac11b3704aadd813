import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Db } from "../../../db/client";
import { AppError } from "../../../lib/errors";
import { problemOf, temporaryDb } from "../../../tests/db/temporary";
import { PRINCIPAL } from "../../../tests/principal";
import { createIndexes, type Indexes } from "./service";

/* An index that is to be reranked needs a rerank model. */

const EMBEDDING = { id: "small", revision: "1", isKnown: true, dimensions: 2, context_window: 128 };

let db: Db;
let indexes: Indexes;
/** What the search for a rerank model throws. */
let failure: AppError | undefined;
beforeEach(async () => {
  failure = undefined;
  db = await temporaryDb();
  const resolve = (_: unknown, kind: string) => {
    if (kind === "rerank" && failure) throw failure;
    return EMBEDDING;
  };
  const models = { resolve, get: () => EMBEDDING, list: () => [] } as never;
  indexes = createIndexes({ db, models, forget: async () => {} });
});
afterEach(() => db.close());

const noReranker = () => new AppError("model_not_found", "No node has a rerank model.", { param: "model" });
const reranked = { retrieval: { rerank: true } };

test("without a rerank model, reranking can't be switched on", async () => {
  failure = noReranker();
  const { id } = await indexes.create(PRINCIPAL, { name: "plain" });
  const refusal = { ...failure, message: failure.message, detail: { param: "retrieval.rerank" } };
  expect(await problemOf(indexes.update(PRINCIPAL, id, reranked))).toMatchObject(refusal);
  expect(await problemOf(indexes.create(PRINCIPAL, { name: "ranked", ...reranked }))).toMatchObject(refusal);
  expect((await indexes.get(PRINCIPAL, id)).retrieval.rerank).toBe(false);
});

test("until a node has reported its models, reranking can be switched on", async () => {
  const { id } = await indexes.create(PRINCIPAL, { name: "plain" });
  failure = new AppError("unavailable", "No node has reported.");
  expect((await indexes.update(PRINCIPAL, id, reranked)).retrieval.rerank).toBe(true);
});

test("after the rerank model has disappeared, the other settings can still be changed", async () => {
  const { id } = await indexes.create(PRINCIPAL, { name: "ranked", ...reranked });
  failure = noReranker();
  const retrieval = { rerank: true, top_k: 3 };
  expect((await indexes.update(PRINCIPAL, id, { retrieval })).retrieval.top_k).toBe(3);
  expect(await problemOf(indexes.update(PRINCIPAL, id, { retrieval: { rerank_model: "other" } }))).toMatchObject({
    detail: { param: "retrieval.rerank_model" },
  });
  const off = await indexes.update(PRINCIPAL, id, { retrieval: { rerank: false } });
  expect(off.retrieval).toMatchObject({ rerank: false, threshold: { score: "relevance" } });
});
