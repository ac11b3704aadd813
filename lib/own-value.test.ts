import { expect, test } from "bun:test";
import { ownValue } from "./own-value";

test("only a record's own names lead to something", () => {
  const record = { known: 1 };
  expect(["known", "unknown", "constructor", "toString", "__proto__"].map((name) => ownValue(record, name))).toEqual([
    1,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
