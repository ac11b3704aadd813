import { describe, expect, test } from "bun:test";
import { openDb } from "../../db/client";
import { listDoomedRevisions } from "../../db/datasets";
import { migrate } from "../../db/migrate";
import { silentLog } from "../../lib/log";
import { withDatabaseFile } from "../db/temporary";
import { startStack } from "./stack";

const fixture = (name: string) => Bun.file(`${import.meta.dir}/../fixtures/databases/${name}`);
const unpacked = async (name: string) => Bun.gunzipSync(await fixture(`${name}.db.gz`).bytes());

/**
 * `NAME.db.gz` is an earlier version's database, filled through its API, and `NAME.json` has that version's responses, except
 * that `detectable_difference` is computed more cautiously now (`cautiousRate`).
 * The database has datasets, single and batch runs with repeats, groups, errors, shadow scores and labels, branched
 * conversations, keys, and two staged revisions. The import of the first one is still running.
 */
describe.each(["after-migration-3"])("the database %s", (name) => {
  test("returns the same data after the migrations", async () => {
    const answers = Object.entries((await fixture(`${name}.json`).json()) as Record<string, unknown>);
    expect(answers.length).toBeGreaterThan(10);
    const stack = await startStack({}, { database: await unpacked(name) });
    try {
      // The first read computes the figures that this version stores; the second reads them.
      for (let round = 0; round < 2; round++) {
        for (const [path, answer] of answers) {
          const response = await stack.call("GET", path);
          // Later versions may add fields.
          expect([path, response.status, withoutLastUse(await response.json())]).toMatchObject([path, 200, answer]);
        }
      }
    } finally {
      await stack.close();
    }
  });

  test("keeps the staged revision of a running import", () =>
    withDatabaseFile(async (file) => {
      await Bun.write(file, await unpacked(name));
      const db = await openDb({ url: `file:${file}` }, silentLog());
      await migrate(db);
      expect(await listDoomedRevisions(db, 10)).toContain("rev_00000000000000000000000002");
      expect(await listDoomedRevisions(db, 10)).not.toContain("rev_00000000000000000000000001");
      await db.close();
    }));
});

/** API keys that this test itself uses. */
const withoutLastUse = (answer: unknown): unknown =>
  JSON.parse(JSON.stringify(answer, (key, value) => (key === "last_used_at" ? undefined : value)));
