import { expect, test } from "bun:test";
import { cacheContract } from "../ports/cache.contract";
import { memoryCache } from "./cache-memory";

cacheContract("memory", () => memoryCache({ maxBytes: 1_000_000 }));

const entry = (value: string, expiresAt = new Date(10_000), tags: string[] = []) => ({
  value,
  storedAt: new Date(0),
  expiresAt,
  tags,
});

test("the least recently used entries are evicted when the cache is full", async () => {
  const cache = memoryCache({ maxBytes: 3 * (300 + 2 * 101), now: () => 0 });
  for (const key of ["a", "b", "c"]) await cache.set(key, entry("x".repeat(100)));
  await cache.get("a");
  await cache.set("d", entry("x".repeat(100)));
  expect(await cache.get("b")).toBeUndefined();
  for (const key of ["a", "c", "d"]) expect(await cache.get(key)).toBeDefined();
});

test("an entry that is larger than the cache is not stored and evicts nothing", async () => {
  const cache = memoryCache({ maxBytes: 1000, now: () => 0 });
  await cache.set("small", entry("x"));
  expect(await cache.set("large", entry("x".repeat(1000)))).toBe(false);
  expect(await cache.get("small")).toBeDefined();
});

test("an entry is served until it expires, and then its memory is freed", async () => {
  let now = 0;
  const cache = memoryCache({ maxBytes: 10_000, now: () => now });
  await cache.set("a", entry("x", new Date(1000), ["t"]));
  now = 999;
  expect(await cache.get("a")).toBeDefined();
  now = 1000;
  expect(await cache.get("a")).toBeUndefined();
  expect((await cache.stats())[0]).toMatchObject({ entries: 0, sizeBytes: 0 });
  expect(await cache.deleteTag("t")).toBe(0);
});

test("in front of a shared store, an entry is evicted early but reports its real expiry", async () => {
  let now = 0;
  const cache = memoryCache({ maxBytes: 10_000, maxAgeMs: 100, now: () => now });
  await cache.set("a", entry("x", new Date(1000)));
  expect((await cache.get("a"))?.expiresAt).toEqual(new Date(1000));
  now = 100;
  expect(await cache.get("a")).toBeUndefined();
});
