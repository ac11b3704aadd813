import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Db } from "../../../db/client";
import * as store from "../../../db/indexes";
import { temporaryDb } from "../../../tests/db/temporary";
import { PRINCIPAL } from "../../../tests/principal";
import { createIndexes, type Indexes } from "./service";
import { createVersions } from "./versions";

const EMBEDDING = { id: "small", kind: "embedding", context_window: 128, default: true };
const models = {
  resolve: () => ({ id: "small", revision: "1", isKnown: true, dimensions: 2 }),
  get: () => EMBEDDING,
  list: () => [EMBEDDING],
} as never;

let db: Db;
let indexes: Indexes;
beforeEach(async () => {
  db = await temporaryDb();
  indexes = createIndexes({ db, models, forget: async () => {} });
});
afterEach(() => db.close());

/** Builds a version, which is then ready. */
const buildReady = async (indexId: string) => {
  const { version } = await createVersions({ db, indexes, models }).build(PRINCIPAL, indexId, {});
  await db.write((tx) => store.updateVersion(tx, { indexId, version }, { state: "ready" }));
  return version;
};

test("a build never retires a version that was activated while it started", async () => {
  const { id } = await indexes.create(PRINCIPAL, { name: "handbook" });
  const second = await buildReady(id);
  await buildReady(id);
  const find: Indexes["find"] = async (...asked) => {
    const read = await indexes.find(...asked);
    await createVersions({ db, indexes, models }).activate(PRINCIPAL, id, second);
    return read;
  };
  await createVersions({ db, indexes: { ...indexes, find }, models }).build(PRINCIPAL, id, {});
  expect((await store.findVersion(db, id, second))?.state).toBe("ready");
  expect((await indexes.open(PRINCIPAL, id)).version).toBe(second);
});
