import { expect, test } from "bun:test";
import fc from "fast-check";
import { canonicalJson } from "../../lib/canonical-json";
import { cacheKey } from "./key";

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
  expect(base).toMatch(/^v2-[0-9a-f]{64}$/);
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
