import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { canonicalHash, canonicalJson } from "./canonical-json";

/** The same value with the names of every object in the opposite order. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, inner]) => [name, reversed(inner)]),
  );
};

test("canonical JSON is JSON, and the order of names does not change it", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(reversed(value))).toBe(text);
    }),
  );
});

test("the hash is the SHA-256 of the canonical text in UTF-8, for any text", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (value, text) => {
      const expected = createHash("sha256")
        .update(canonicalJson([value, text]))
        .digest("hex");
      expect(canonicalHash([value, text])).toBe(expected);
      expect(canonicalHash({ value, text })).toBe(canonicalHash({ text, value }));
    }),
  );
});
