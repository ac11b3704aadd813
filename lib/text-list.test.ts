import { expect, test } from "bun:test";
import fc from "fast-check";
import { TextList } from "./text-list";

test("a list returns the texts it was given, and orders them by their UTF-8 bytes", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 300 }), { maxLength: 400 }), (texts) => {
      const list = new TextList();
      for (const text of texts) list.add(text);
      expect(Array.from({ length: list.length }, (_, place) => list.at(place))).toEqual(texts);
      const order = [...texts.keys()].sort((a, b) => list.compare(a, b));
      const expected = texts.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(order.map((place) => list.at(place))).toEqual(expected);
    }),
    { numRuns: 30 },
  );
});

test("a text that isn't in the list is a RangeError", () => {
  expect(() => new TextList().at(0)).toThrow(RangeError);
});
