import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Cache, CacheEntry } from "./cache";

const HOUR_MS = 3_600_000;

const entry = (value: string, fields: Partial<CacheEntry> = {}): CacheEntry => ({
  value,
  storedAt: new Date(),
  expiresAt: new Date(Date.now() + HOUR_MS),
  tags: [],
  ...fields,
});

/** What every cache guarantees. `create` returns an empty cache that is not open yet. */
export const cacheContract = (name: string, create: () => Cache | Promise<Cache>): void => {
  describe(`cache: ${name}`, () => {
    let cache: Cache;
    beforeEach(async () => {
      cache = await create();
      await cache.open();
    });
    afterEach(() => cache.close());

    test("returns stored values, whatever characters they contain", async () => {
      const kept = entry('{"text":"naïve 東京 🎉\\n\\u0000 "}\nsecond line', { tags: ["model:a", 'odd "tag"\n'] });
      expect(await cache.set("k", kept)).toBe(true);
      const hit = await cache.get("k");
      expect(hit).toMatchObject({ ...kept });
    });

    test("an unknown key is a miss", async () => {
      expect(await cache.get("nothing")).toBeUndefined();
      expect(await cache.delete("nothing")).toBe(false);
      expect(await cache.deleteTag("nothing")).toBe(0);
    });

    test("a later entry replaces the earlier one and its tags", async () => {
      await cache.set("k", entry("one", { tags: ["old"] }));
      await cache.set("k", entry("two", { tags: ["new"] }));
      expect((await cache.get("k"))?.value).toBe("two");
      expect(await cache.deleteTag("new")).toBe(1);
      expect(await cache.get("k")).toBeUndefined();
    });

    test("an expired entry is a miss and is deleted", async () => {
      expect(await cache.set("past", entry("x", { expiresAt: new Date(Date.now() - 1) }))).toBe(false);
      expect(await cache.get("past")).toBeUndefined();
    });

    test("an expired entry is returned until its staleUntil", async () => {
      const stale = entry("x", { expiresAt: new Date(Date.now() - 1000), staleUntil: new Date(Date.now() + HOUR_MS) });
      expect(await cache.set("k", stale)).toBe(true);
      expect(await cache.get("k")).toMatchObject({ ...stale });
      const gone = { ...stale, staleUntil: new Date(Date.now() - 1) };
      expect(await cache.set("gone", gone)).toBe(false);
    });

    test("one entry is deleted by its key", async () => {
      await cache.set("a", entry("1"));
      await cache.set("b", entry("2"));
      expect(await cache.delete("a")).toBe(true);
      expect(await cache.get("a")).toBeUndefined();
      expect((await cache.get("b"))?.value).toBe("2");
    });

    test("one call deletes all entries with a tag, and no others", async () => {
      for (let i = 0; i < 520; i++) {
        const tags = i < 10 ? ["all", "few"] : ["all"];
        // On a busy machine a write may be dropped, but this test needs every write.
        while (!(await cache.set(`k${i}`, entry("x", { tags })))) await Bun.sleep(1);
      }
      expect(await cache.deleteTag("few")).toBe(10);
      expect(await cache.get("k9")).toBeUndefined();
      expect(await cache.get("k10")).toBeDefined();
      expect(await cache.deleteTag("all")).toBe(510);
      expect(await cache.get("k10")).toBeUndefined();
    });

    test("reports its number of entries", async () => {
      await cache.set("a", entry("1"));
      await cache.set("b", entry("2"));
      const stats = await cache.stats();
      for (const layer of stats) expect(layer).toMatchObject({ status: "ok", entries: 2 });
      expect(stats.every((layer) => layer.sizeBytes > 0)).toBe(true);
    });

    test("after closing, every read is a miss", async () => {
      await cache.set("a", entry("1"));
      await cache.close();
      expect(await cache.get("a")).toBeUndefined();
    });
  });
};
