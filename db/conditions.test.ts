import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "drizzle-orm";
import { silentLog } from "../lib/log";
import { type Db, openDb } from "./client";
import { like } from "./conditions";

let db: Db;
beforeAll(async () => {
  db = await openDb({ url: ":memory:" }, silentLog());
});
afterAll(() => db.close());

test.each<[string, string, boolean]>([
  ["Ärzte & Söhne", "ärzte", true],
  ["Ärzte & Söhne", "ÄRZTE", true],
  ["ärzte & söhne", "SÖHNE", true],
  ["Ärzte & Söhne", "arzte", false],
  ["ΑΘΗΝΑ", "αθηνα", true],
  ["Москва", "МОСКВА", true],
  ["Straße", "straße", true],
  ["Straße", "strasse", false],
  ["Number 7", "NUMBER", true],
  ["100 % sure", "100 %", true],
  ["100 sure", "100%sure", false],
  ["a_b", "A_B", true],
  ["axb", "a_b", false],
  ["back\\slash", "k\\s", true],
  ["Größe [m] * 2?", "größe [M] * 2?", true],
  ["Größe m", "größe [m]", false],
  ["Größe xx", "größe *", false],
  ["Größe x", "größe ?", false],
  ["日本語のテキスト", "のテ", true],
  ["a 😀 b", "😀", true],
])("%j contains %j: %p", async (text, search, expected) => {
  const row = await db.get<Record<string, number>>(sql`SELECT ${like(sql`${text}`, search)} AS found`);
  expect(Object.values(row ?? {})[0]).toBe(expected ? 1 : 0);
});
