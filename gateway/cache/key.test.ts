import { expect, test } from "bun:test";
import fc from "fast-check";
import { cacheKey, canonicalJson } from "./key";

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

test("different values have different keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const isSame = canonicalJson(a) === canonicalJson(b);
      expect(cacheKey("n", { part: a }).key === cacheKey("n", { part: b }).key).toBe(isSame);
    }),
  );
});

test("a key shows its version, and depends on the namespace and on every part", () => {
  const base = cacheKey("key_a", { model: "m", temperature: 0 }).key;
  expect(base).toMatch(/^v1-[0-9a-f]{64}$/);
  const others = [
    cacheKey("key_b", { model: "m", temperature: 0 }),
    cacheKey("key_a", { model: "m", temperature: 1 }),
    cacheKey("key_a", { model: "m" }),
    cacheKey("key_a", { model: "m\ntemperature\n0" }),
    cacheKey("key_a", { model: "m", temperature: "0" }),
    cacheKey("key_a", { model: "m", temperature: null }),
  ];
  for (const { key } of others) expect(key).not.toBe(base);
  expect(cacheKey("key_a", { model: "m", top_p: undefined, temperature: 0 }).key).toBe(base);
});
