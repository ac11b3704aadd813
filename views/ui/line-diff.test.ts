import { expect, test } from "bun:test";
import fc from "fast-check";
import { diffLines } from "./line-diff";

/** The groups as a list of " same", "-removed" and "+added" lines. */
const shown = (one: string, other: string): string[] =>
  diffLines(one, other).flatMap(({ kind, lines }) =>
    lines.map((line) => `${{ same: " ", removed: "-", added: "+" }[kind]}${line}`),
  );

test("changed lines are removed and added, between the lines that both texts have", () => {
  expect(shown("a\nb\nc\nd", "a\nx\nc \nd\ne")).toEqual([" a", "-b", "+x", " c", " d", "+e"]);
  expect(shown("same", "same")).toEqual([" same"]);
  expect(shown("", "new")).toEqual(["-", "+new"]);
});

test("both texts can be read from the groups", () => {
  const texts = fc.array(fc.constantFrom("a", "b", "c", ""), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(texts, texts, (one, other) => {
      const groups = diffLines(one.join("\n"), other.join("\n"));
      const without = (kind: string) => groups.flatMap((group) => (group.kind === kind ? [] : group.lines));
      expect([without("added"), without("removed")]).toEqual([one, other]);
    }),
  );
});

test("texts of many different lines are compared in a moment, as a whole", () => {
  const long = (name: string) =>
    ["first", ...Array.from({ length: 3000 }, (_, n) => `${name} ${n}`), "last"].join("\n");
  expect(diffLines(long("a"), long("b")).map(({ kind, lines }) => [kind, lines.length])).toEqual([
    ["same", 1],
    ["removed", 3000],
    ["added", 3000],
    ["same", 1],
  ]);
});
