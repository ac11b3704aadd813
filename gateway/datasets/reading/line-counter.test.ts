import { expect, test } from "bun:test";
import fc from "fast-check";
import { LineCounter, placeIn } from "./line-counter";

test("LF, CRLF and CR end a line, wherever the text is cut", () => {
  const unit = fc.constantFrom("\n", "\r", "\r\n", "a", "é");
  fc.assert(
    fc.property(fc.array(fc.string({ unit })), (pieces) => {
      const counter = new LineCounter();
      for (const piece of pieces) counter.pass(piece);
      const lines = pieces.join("").split(/\r\n|\r|\n/);
      expect([counter.line, counter.character]).toEqual([lines.length, (lines.at(-1)?.length ?? 0) + 1]);
    }),
  );
});

test("a place in a text counts from where the text begins", () => {
  expect(placeIn("ab\ncd", 1, { line: 7, character: 5 })).toMatchObject({ line: 7, character: 6 });
  expect(placeIn("ab\ncd", 4, { line: 7, character: 5 })).toMatchObject({ line: 8, character: 2 });
});
