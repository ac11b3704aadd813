import { expect, test } from "bun:test";
import fc from "fast-check";
import { Postings } from "./postings";

const TERMS = 5;
type Step = { kind: "add"; term: number; slot: number; count: number } | { kind: "purge"; term: number; dead: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      term: fc.nat(TERMS - 1),
      slot: fc.nat(30),
      count: fc.integer({ min: 1, max: 300 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("purge" as const), term: fc.nat(TERMS - 1), dead: fc.nat(30) }),
  },
);

test("a list keeps its postings while others grow, shrink and move", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
      const postings = new Postings();
      const lists: [slot: number, count: number][][] = Array.from({ length: TERMS }, () => []);
      for (const _ of lists) postings.create();
      for (const each of steps) {
        if (each.kind === "add") {
          postings.add(each.term, each.slot, each.count);
          lists[each.term]?.push([each.slot, Math.min(each.count, 255)]);
        } else {
          postings.purge(
            each.term,
            Uint8Array.from({ length: 31 }, (_, slot) => (slot === each.dead ? 0 : 1)),
          );
          lists[each.term] = (lists[each.term] ?? []).filter(([slot]) => slot !== each.dead);
        }
      }
      const kept = lists.map((_, term) => Array.from(postings.list(term), (posting) => [posting >>> 8, posting & 255]));
      expect(kept).toEqual(lists);
    }),
  );
});

test("slots up to 2^24 are stored exactly", () => {
  const postings = new Postings();
  const term = postings.create();
  postings.add(term, 2 ** 24 - 1, 7);
  expect([...postings.list(term)].map((posting) => [posting >>> 8, posting & 255])).toEqual([[2 ** 24 - 1, 7]]);
});
