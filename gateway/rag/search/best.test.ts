import { expect, test } from "bun:test";
import fc from "fast-check";
import { Best } from "./best";

test("keeps the same slots as sorting would, with lower slots first for equal scores", () => {
  const scores = fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 60 });
  fc.assert(
    fc.property(scores, fc.integer({ min: 1, max: 20 }), (list, size) => {
      const best = new Best(size);
      for (const [slot, score] of list.entries()) best.offer(slot, score);
      const sorted = list.map((score, slot) => ({ slot, score })).sort((a, b) => b.score - a.score || a.slot - b.slot);
      expect(best.sorted()).toEqual(sorted.slice(0, size));
      expect([...best.slots()].sort((a, b) => a - b)).toEqual(
        sorted
          .slice(0, size)
          .map(({ slot }) => slot)
          .sort((a, b) => a - b),
      );
    }),
  );
});
