import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { fromRow, toRow } from "./wire";

const Thing = Type.Object({
  id: Type.String(),
  created_at: Type.String(),
  ended_at: Type.Union([Type.String(), Type.Null()]),
  allowed_models: Type.Array(Type.String()),
});
const createdAt = new Date("2026-11-23T20:15:00.000Z");
const thing = { id: "a", created_at: createdAt.toISOString(), ended_at: null, allowed_models: ["m"] };
const row = { id: "a", createdAt, endedAt: null, allowedModels: ["m"] };

test("a row is converted to the contract's fields: snake_case names, times in ISO 8601, no other columns", () => {
  const withSecret = { ...row, secretHash: "x" };
  expect(fromRow(Thing, withSecret)).toEqual(thing);
});

test("fields that aren't columns are passed in addition to the row", () => {
  const { allowedModels: _, ...columns } = row;
  expect(fromRow(Thing, columns, { allowed_models: ["n"] })).toEqual({ ...thing, allowed_models: ["n"] });
});

test("a contract's fields are converted back to columns", () => {
  expect(toRow(Thing, thing)).toEqual(row);
});
