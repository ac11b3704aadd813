import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { problemOf } from "../../../tests/db/temporary";
import type { ChangesFile } from "../../../tests/search-worker";
import { until } from "../../../tests/until";
import type { Search } from "./search";
import { SearchThread } from "./search-thread";

let folder: string;
let thread: SearchThread;

const changes = (content: ChangesFile) => writeFileSync(join(folder, "changes.json"), JSON.stringify(content));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "search-"));
  thread = new SearchThread(
    () =>
      new Worker(new URL("../../../tests/search-worker.ts", import.meta.url), { argv: [join(folder, "changes.json")] }),
  );
});
afterEach(() => {
  thread.close();
  rmSync(folder, { recursive: true });
});

const document = (id: string, ...texts: string[]) => ({
  id,
  entries: texts.map((text, i) => ({ id: `${id}-${i}`, text, vector: [1, 0] })),
});

const SEARCH: Search = {
  text: "fox",
  vector: null,
  mode: "keyword",
  candidates: 10,
  filter: null,
  fusion: { kind: "rank" },
};
const at = (revision: number, index = "idx_a", version = 1) => ({ index, version, revision });
const found = async (revision: number, search: Partial<Search> = {}, index?: string, version?: number) =>
  (await thread.search(at(revision, index, version), { ...SEARCH, ...search })).hits.map(({ id }) => id).sort();

test("a search sees every change up to its revision, whichever revision was loaded before", async () => {
  const pages = [{ revision: 1, documents: [document("a", "red fox", "fox")] }];
  changes({ "idx_a@1": pages });
  expect(await found(1)).toEqual(["a-0", "a-1"]);
  pages.push(
    { revision: 2, documents: [document("a", "grey fox"), document("b", "fox")] },
    { revision: 3, documents: [document("b")] },
  );
  changes({ "idx_a@1": pages });
  expect(await found(1)).toEqual(["a-0", "a-1"]);
  expect(await found(2)).toEqual(["a-0", "b-0"]);
  expect(await found(3)).toEqual(["a-0"]);
});

test("parallel searches during loading each see their revision", async () => {
  changes({ "idx_a@1": [1, 2, 3, 4].map((revision) => ({ revision, documents: [document(`d${revision}`, "fox")] })) });
  const counts = await Promise.all([4, 2, 3, 1, 4].map(async (revision) => (await found(revision)).length));
  for (const [i, revision] of [4, 2, 3, 1, 4].entries()) expect(counts[i]).toBeGreaterThanOrEqual(revision);
});

test("the first search sees all documents, including those that get a later revision while pages are loaded", async () => {
  changes({
    "idx_a@1": [
      { revision: 1, documents: [document("a", "fox")] },
      // Both had revision 2 or lower when the search began.
      { revision: 3, documents: [document("b", "fox")] },
      { revision: 4, documents: [document("c", "fox")] },
    ],
  });
  expect(await found(2)).toEqual(["a-0", "b-0", "c-0"]);
});

test("indexes and their versions are separate", async () => {
  changes({
    "idx_a@1": [{ revision: 1, documents: [document("one", "fox")] }],
    "idx_a@2": [{ revision: 1, documents: [document("two", "fox")] }],
    "idx_b@1": [{ revision: 1, documents: [document("three", "fox")] }],
  });
  expect(await found(1, {}, "idx_a", 1)).toEqual(["one-0"]);
  expect(await found(1, {}, "idx_a", 2)).toEqual(["two-0"]);
  expect(await found(1, {}, "idx_b", 1)).toEqual(["three-0"]);
});

test("vectors and filters reach the Worker, and the caller's vector stays usable", async () => {
  changes({ "idx_a@1": [{ revision: 1, documents: [document("a", "fox"), document("b", "fox")] }] });
  const vector = Float32Array.of(1, 0);
  expect(await found(1, { mode: "vector", vector, filter: { document: "b" } })).toEqual(["b-0"]);
  expect([...vector]).toEqual([1, 0]);
  const wrong = await problemOf(found(1, { mode: "vector", vector: Float32Array.of(1, 0, 0) }));
  expect([wrong.kind, wrong.message]).toEqual([
    "invalid_request",
    "The vector has 3 dimensions, but the index has 2. Use the index's embedding model.",
  ]);
});

test("loading reports the revision and the numbers of documents and chunks", async () => {
  changes({ "idx_a@1": [{ revision: 5, documents: [document("a", "fox", "dog"), document("b", "cat")] }] });
  expect(await thread.load(at(5))).toEqual({ revision: 5, documents: 2, chunks: 3 });
});

test("a dropped version or index is loaded again by the next search", async () => {
  changes({
    "idx_a@1": [{ revision: 1, documents: [document("a", "fox")] }],
    "idx_a@2": [{ revision: 1, documents: [document("a", "fox")] }],
  });
  await Promise.all([found(1, {}, "idx_a", 1), found(1, {}, "idx_a", 2)]);
  changes({
    "idx_a@1": [{ revision: 1, documents: [document("new", "fox")] }],
    "idx_a@2": [{ revision: 1, documents: [document("new", "fox")] }],
  });
  await thread.drop("idx_a", 1);
  expect(await found(1, {}, "idx_a", 1)).toEqual(["new-0"]);
  expect(await found(1, {}, "idx_a", 2)).toEqual(["a-0"]);
  await thread.drop("idx_a");
  expect(await found(1, {}, "idx_a", 2)).toEqual(["new-0"]);
});

test.each(["inactive", "deleted"] as const)("memory of a version that is %s is freed, and only that", async (use) => {
  const pages = (name: string, own: Partial<ChangesFile[string][number]> = {}) => [
    { revision: 1, documents: [document(name, "fox")], ...own },
  ];
  changes({ "idx_a@1": pages("old"), "idx_a@2": pages("old") });
  await Promise.all([found(1, {}, "idx_a", 1), found(1, {}, "idx_a", 2)]);
  changes({ "idx_a@1": pages("new", { use }), "idx_a@2": pages("new") });
  await until("the version is loaded again", async () => {
    await Bun.sleep(100); // A version that is searched between two checks stays.
    return (await found(1, {}, "idx_a", 1))[0] === "new-0";
  });
  expect(await found(1, {}, "idx_a", 2)).toEqual(["old-0"]);
});

test("a search whose load fails throws internal, and the next search loads again", async () => {
  expect((await problemOf(found(1))).kind).toBe("internal");
  changes({ "idx_a@1": [{ revision: 1, documents: [document("a", "fox")] }] });
  expect((await problemOf(found(2))).kind).toBe("internal"); // The changes end at revision 1.
  expect(await found(1)).toEqual(["a-0"]);
});

test("after a crash, the next search starts a new Worker that loads everything again", async () => {
  const first = { revision: 1, documents: [document("a", "fox")] };
  changes({ "idx_a@1": [first] });
  expect(await found(1)).toEqual(["a-0"]);
  changes({ "idx_a@1": [first, { revision: 2, documents: [], crash: true }] });
  expect((await problemOf(found(2))).kind).toBe("internal");
  changes({ "idx_a@1": [first, { revision: 2, documents: [document("b", "fox")] }] });
  expect(await found(2)).toEqual(["a-0", "b-0"]);
});

test("a filter with too many conditions is rejected", async () => {
  const filter = { or: Array.from({ length: 201 }, (_, year) => ({ year })) };
  expect((await problemOf(found(0, { filter }))).detail.param).toBe("filter");
});

test("an aborted caller doesn't wait, and closing rejects the others with unavailable", async () => {
  changes({ "idx_a@1": [{ revision: 1, documents: [document("a", "fox")] }] });
  const leaving = new AbortController();
  const left = problemOf(thread.search(at(1), SEARCH, leaving.signal));
  const stays = problemOf(thread.search(at(1), SEARCH));
  leaving.abort();
  expect((await left).kind).toBe("client_closed");
  thread.close();
  expect((await stays).kind).toBe("unavailable");
});
