import { expect, test } from "bun:test";
import { join } from "node:path";
import { generateKey, isWellFormed, KEY_PATTERN } from "./format";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

test("a generated key is well formed, matches the scanners' pattern, and contains its public id", () => {
  for (let n = 0; n < 1000; n++) {
    const { id, key } = generateKey();
    expect(isWellFormed(key)).toBe(true);
    expect(KEY_PATTERN.exec(`export OPENAI_API_KEY="${key}"`)?.[0]).toBe(key);
    expect(key.startsWith(`gw_${id.slice("key_".length)}_`)).toBe(true);
  }
});

test("the secret scanning rule uses the key pattern", async () => {
  const rule = await Bun.file(join(import.meta.dir, "../../.gitleaks.toml")).text();
  expect(rule).toContain(`regex = '''${KEY_PATTERN.source}'''`);
});

test("changing any character makes a key invalid", () => {
  const { key } = generateKey();
  for (let place = 0; place < key.length; place++) {
    const other = key[place] === "A" ? "B" : "A";
    expect(isWellFormed(key.slice(0, place) + other + key.slice(place + 1))).toBe(false);
  }
});

test("a string that isn't a key is rejected", () => {
  const { key } = generateKey();
  for (const text of [
    "",
    "gw_",
    key.slice(1),
    `${key} `,
    `${key}0`,
    key.toUpperCase(),
    `${key}\n`,
    "\u0000",
    "gw_ä_ö",
  ]) {
    expect(isWellFormed(text)).toBe(false);
  }
});

/** mulberry32 with a fixed seed, because one random string in 4 billion has a valid checksum. */
const seeded = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};

test("K2: none of 1,000,000 random strings in the key format is accepted", () => {
  const random = seeded(20261123);
  const randomText = (length: number): string => {
    let text = "";
    for (let n = 0; n < length; n++) text += ALPHABET[Math.floor(random() * 62)];
    return text;
  };
  let accepted = 0;
  for (let n = 0; n < 1_000_000; n++) if (isWellFormed(`gw_${randomText(12)}_${randomText(49)}`)) accepted++;
  expect(accepted).toBe(0);
}, 60_000);

test("secrets use every character equally often", () => {
  const counts = new Map<string, number>();
  for (let n = 0; n < 2000; n++) {
    for (const character of generateKey().key.slice(16, 59)) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  expect(counts.size).toBe(62);
  // 86,000 characters: each is drawn 1,387 times on average, with a standard deviation of 37.
  for (const count of counts.values()) expect(Math.abs(count - 1387)).toBeLessThan(6 * 37);
});
