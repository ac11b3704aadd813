import { afterAll, beforeAll, expect, test } from "bun:test";
import { temporaryDb } from "../tests/db/temporary";
import { seedRun } from "../tests/seeded-run";
import { findPlaces, listBatchResults, listResultsAt } from "./batch-results";
import type { Db } from "./client";

let db: Db;
let id: string;
beforeAll(async () => {
  db = await temporaryDb();
  // From 10,000 results on, a search for a rare text reads all samples first.
  await seedRun(db, { samples: 300, shift: 1 });
  id = await seedRun(db, { samples: 5000, repeats: 2 });
});
afterAll(() => db.close());

test.each<[string, number]>([
  ["branch 4999", 2],
  ["BRANCH-7", 0],
  ["branch-7", 2],
  ["can’t answer", 60],
  ["noon", 60],
  ["Branch", 60],
  ["nothing like this", 0],
  ["grüße", 0],
])("a search for %p finds the same results in every order, however rare the text is", async (search, count) => {
  for (const sort of ["dataset", "worst", "slowest"] as const) {
    for (const passed of [undefined, false]) {
      const list = { search, sort, passed, limit: 60 };
      const found = await listResultsAt(db, await findPlaces(db, id, { ...list, offset: 0 }));
      const joined = await listBatchResults(db, id, list);
      if (passed === undefined) expect(found).toHaveLength(count);
      expect(found.map((result) => result.id)).toEqual(joined.map((result) => result.id));
    }
  }
});
