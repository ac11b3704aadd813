import { expect, test } from "bun:test";
import fc from "fast-check";
import { WordTable } from "./word-table";

test("words keep their numbers while others are added and removed", () => {
  const words = fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.nat(20)), { maxLength: 300, size: "max" });
  fc.assert(
    fc.property(words, fc.nat(20), (added, forgotten) => {
      const table = new WordTable();
      const expected = new Map<string, number>();
      for (const [word, number] of added) {
        table.set(word, number);
        expected.set(word, number);
      }
      for (const [word] of added) expect(table.get(word)).toBe(expected.get(word));
      table.keep((number) => number !== forgotten);
      for (const [word, number] of expected) expect(table.get(word)).toBe(number === forgotten ? undefined : number);
      table.clear();
      for (const [word] of added) expect(table.get(word)).toBeUndefined();
    }),
  );
});

test("half a million similar words have different numbers", () => {
  const table = new WordTable();
  for (let i = 0; i < 500_000; i++) table.set(`w${i.toString(36)}`, i);
  let wrong = 0;
  for (let i = 0; i < 500_000; i++) if (table.get(`w${i.toString(36)}`) !== i) wrong++;
  expect(wrong).toBe(0);
  expect(table.get("unknown")).toBeUndefined();
});
