import { expect, test } from "bun:test";
import { own } from "./own";

test("only a record's own names lead to something", () => {
  const record = { known: 1 };
  expect(["known", "unknown", "constructor", "toString", "__proto__"].map((name) => own(record, name))).toEqual([
    1,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
