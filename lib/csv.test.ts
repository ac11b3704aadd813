import { expect, test } from "bun:test";
import fc from "fast-check";
import { guardText, unguardText } from "./csv";

const FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "＝1", "＋1", "－1", "＠x"];

test.each(FORMULAS)("P2: %j is not run as a formula by a spreadsheet", (text) => {
  expect(guardText(text)).toBe(`'${text}`);
});

test("other text is not changed", () => {
  for (const text of ["Paris", "a=1", "1-2", "'twas", '"quoted"', " =1", "é", "😀"]) expect(guardText(text)).toBe(text);
});

/** Random text that is likely to trigger the rules. */
const awkward = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: fc.constantFrom("'", "=", "-", "[", "＠", "\t", " ", "a") }),
);

test("guarded text never begins with a formula character, and unguarding restores it", () => {
  fc.assert(
    fc.property(awkward, (text) => {
      const cell = guardText(text);
      expect(cell).not.toMatch(/^[=+\-@\t\r\n\0＝＋－＠]/);
      expect(cell).not.toBe("");
      expect(unguardText(cell)).toBe(text);
    }),
  );
});
