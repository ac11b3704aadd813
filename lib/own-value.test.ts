import { expect, test } from "bun:test";
import { ownValue } from "./own-value";

test("a record returns values only for its own names", () => {
  const record = { known: 1 };
  expect(["known", "unknown", "constructor", "toString", "__proto__"].map((name) => ownValue(record, name))).toEqual([
    1,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
