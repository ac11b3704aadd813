import { afterEach, beforeEach, expect, test } from "bun:test";
import { asc, eq } from "drizzle-orm";
import { temporaryDb } from "../tests/db/temporary";
import type { Db } from "./client";
import { insertRows, updateRows } from "./json-rows";
import { results } from "./schema";

const AT = new Date("2026-11-30T12:00:00.123Z");

let db: Db;
beforeEach(async () => {
  db = await temporaryDb();
  await db.writer.exclusive(() => db.writer.execute("PRAGMA foreign_keys = OFF"));
});
afterEach(() => db.close());

/** SQLite reads the first three as neighbouring numbers if they are written in their shortest form. */
const NUMBERS = [0.582905982905983, 0.715149192852019, 0.1377952755905512, 0.1 + 0.2, 5e-324, -1e300, 0, 1, null];
const TEXTS = ['"\\n', "Zürich 東京 😀", "a\u0000b\u0001", "\u2028", "half a pair: \ud83d", "", "12", "null", null];

const rowsOf = (runId: string) =>
  NUMBERS.map((overall, n) => ({
    ...{
      id: `${runId} ${n}`,
      runId,
      sampleId: "s",
      sampleKey: `k${n}`,
      repeat: n,
      state: "done" as const,
      createdAt: AT,
    },
    ...{ overall, failure: TEXTS[n] ?? null, output: overall === null ? null : { text: TEXTS[n], n: overall } },
    ...{ passed: [true, false, null][n % 3], endedAt: overall === null ? null : AT },
  }));
const FIELDS = [
  ...(["id", "runId", "sampleId", "sampleKey", "repeat", "state", "createdAt"] as const),
  ...(["overall", "failure", "output", "passed", "endedAt"] as const),
] as const;
const stored = async (runId: string) => {
  const rows = await db.select().from(results).where(eq(results.runId, runId)).orderBy(asc(results.repeat));
  return rows.map(({ id: _, runId: __, ...row }) => row);
};

test("inserted values are the same as those that the driver stores", async () => {
  await db.write((tx) => tx.insert(results).values(rowsOf("driver")));
  expect(await db.write((tx) => insertRows(tx, results, FIELDS, rowsOf("json")))).toBe(NUMBERS.length);
  expect(await stored("json")).toEqual(await stored("driver"));
  expect((await stored("json")).map(({ overall }) => overall)).toEqual(NUMBERS);
});

test("existing rows don't change and are not counted", async () => {
  const rows = rowsOf("r");
  await db.write((tx) => insertRows(tx, results, FIELDS, rows.slice(0, 3)));
  const changed = rows.map((row) => ({ ...row, failure: "changed" }));
  expect(await db.write((tx) => insertRows(tx, results, FIELDS, changed))).toBe(rows.length - 3);
  expect((await stored("r")).map(({ failure }) => failure !== "changed")).toEqual(rows.map((_, n) => n < 3));
});

test("an update changes the rows with these ids that meet the condition", async () => {
  const rows = Array.from({ length: 1200 }, (_, n) => {
    const state = n % 2 === 0 ? ("running" as const) : ("done" as const);
    return { id: `${n}`, runId: "r", sampleId: "s", sampleKey: `k${n}`, repeat: n, state, overall: (n + 1) / 7 };
  });
  const fields = ["id", "runId", "sampleId", "sampleKey", "repeat", "state", "overall"] as const;
  await db.write((tx) => insertRows(tx, results, fields, rows));
  const ended = rows.map(({ id, overall }) => ({
    id,
    state: "done" as const,
    overall: -overall,
    output: { text: "é" },
  }));
  const changed = await db.write((tx) =>
    updateRows(tx, results, ["id", "state", "overall", "output"], ended, eq(results.state, "running")),
  );
  expect(changed).toBe(600);
  const after = (await stored("r")).map(({ overall, output }) => [overall, output?.text]);
  expect(after).toEqual(rows.map(({ overall }, n) => (n % 2 === 0 ? [-overall, "é"] : [overall, undefined])));
});
