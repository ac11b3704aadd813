import { expect, test } from "bun:test";
import fc from "fast-check";
import { canonicalJson } from "../../lib/canonical-json";
import { cacheKey, createRecentRequests, showParts } from "./key";

test("different values have different keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const isSame = canonicalJson(a) === canonicalJson(b);
      expect(cacheKey("n", { part: a }).key === cacheKey("n", { part: b }).key).toBe(isSame);
    }),
  );
});

test("a key starts with its version, and depends on the namespace and every part", () => {
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

test("the oldest request is dropped first, and the newest of two with the same id is returned", () => {
  const recent = createRecentRequests(3);
  for (const id of ["a", "b", "c"]) recent.add(id, "n", cacheKey("n", { id }));
  recent.add("b", "n", cacheKey("n", { id: "other" }));
  expect(["a", "b", "c", "d"].map((id) => recent.get(id) !== undefined)).toEqual([false, true, true, false]);
  expect(recent.get("b")?.parts).toBe('{"id":"other"}');
});

test("a repeated request is described like the first one, however long ago that was", () => {
  const recent = createRecentRequests(2);
  const ids = ["a", "b", "a", "c", "a", "d", "e", "a"];
  for (const [index, id] of ids.entries()) {
    recent.add(String(index), "n", cacheKey("n", { id }));
    expect(recent.get(String(index))?.parts).toBe(`{"id":"${id}"}`);
    if (index > 0) expect(recent.get(String(index - 1))?.parts).toBe(`{"id":"${ids[index - 1]}"}`);
    expect(recent.get(String(index - 2))).toBeUndefined();
  }
});

test("user text and long values are shown as hashes, which differ if the text does", () => {
  const shown = (prompt: string) => JSON.parse(showParts(cacheKey("n", { model: "m", prompt, stop: "x".repeat(100) })));
  const hash = expect.stringMatching(/^hash:[0-9a-f]{16}$/);
  expect(shown("hi")).toEqual({ model: "m", prompt: hash, stop: hash });
  expect(shown("hi").prompt).not.toBe(shown("ho").prompt);
});
