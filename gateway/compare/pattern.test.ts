import { afterAll, expect, test } from "bun:test";
import { openComparing, type StoredSample } from "../../tests/compared-runs";
import type { CompareQuery } from "./contract";
import { matchKeys } from "./pattern";

const { db, service, run } = await openComparing();
afterAll(() => db.close());

/** Two repeats of each sample. The second run is slower at the third sample. */
const samples = (texts: readonly string[], slowMs: number): StoredSample[] =>
  texts.map((text, n) => ({
    ...{ key: `k${n}`, input: `Question ${n}: when?`, tags: [n % 2 === 0 ? "even" : "odd"] },
    results: [
      { passed: true, text: "At noon.", totalMs: 100 },
      { passed: n > 0, text, totalMs: n === 2 ? slowMs : 100 },
    ],
  }));
const runs = [
  await run(samples(["At 7:30.", "At 8.", "Never", "a\nb"], 100)),
  await run(samples(["At 7:45.", "At 8.", "Never", "é".repeat(40_000)], 900)),
].join();

const keysOf = async (query: Partial<CompareQuery>) => {
  const { samples: listed, counts } = await service.compare(
    { allowedIndexes: undefined },
    { runs, show: "all", ...query },
  );
  expect(counts.all).toBe(listed.data.length);
  return listed.data.map(({ sample_key }) => sample_key).sort();
};

test.each([
  ["\\d:\\d{2}", ["k0"]],
  ["^Question [12]", ["k1", "k2"]],
  ["(?i)NEVER", ["k2"]],
  ["NEVER", []],
  ["^a$", []],
  ["(?m)^a$", ["k3"]],
  ["noon", ["k0", "k1", "k2", "k3"]],
  ["é{3}$", ["k3"]],
])("a regular expression finds inputs, and outputs of every repeat in every run: %s", async (pattern, keys) => {
  expect(await keysOf({ pattern })).toEqual(keys);
});

test("it is combined with the other filters", async () => {
  expect(await keysOf({ pattern: "At \\d", tag: "odd" })).toEqual(["k1"]);
  expect(await keysOf({ pattern: "noon", search: "Never" })).toEqual(["k2"]);
});

test.each([
  ["(", "This is not a valid RE2 regular expression: missing closing )"],
  ["(?=a)", "This is not a valid RE2 regular expression: invalid or unsupported Perl syntax"],
  [`${"a".repeat(90)}{1000}`, "The regular expression repeats too much."],
])("%s is refused with the reason", async (pattern, message) => {
  await expect(keysOf({ pattern })).rejects.toMatchObject({
    ...{ kind: "invalid_request", message: expect.stringContaining(message), detail: { param: "pattern" } },
  });
});

test("it is not matched with more than 10,000 answers", async () => {
  const asked = matchKeys(db, "a", { runIds: [], keys: [], answers: 10_001 });
  await expect(asked).rejects.toThrow("at most 10,000 answers, and this list has 10,001. Narrow the list by a tag");
});

test("samples are found by the mean time of their answers in the slowest run", async () => {
  expect(await keysOf({ slower_than_ms: 499 })).toEqual(["k2"]);
  expect(await keysOf({ slower_than_ms: 500 })).toEqual([]);
  expect(await keysOf({ slower_than_ms: 99 })).toEqual(["k0", "k1", "k2", "k3"]);
});
