import { expect, test } from "bun:test";
import { Fingerprints } from "./duplicates";

test("20,000 texts are found with their numbers, and other texts are not found", () => {
  const fingerprints = new Fingerprints();
  for (let i = 1; i <= 20_000; i++) expect(fingerprints.findOrAdd(`text ${i}`, i)).toBeUndefined();
  for (let i = 1; i <= 20_000; i++) expect(fingerprints.find(`text ${i}`)).toBe(i);
  for (let i = 1; i <= 20_000; i++) expect(fingerprints.find(`other ${i}`)).toBeUndefined();
});

test("a text keeps the number it was first added with", () => {
  const fingerprints = new Fingerprints();
  expect([7, 8, 9].map((number) => fingerprints.findOrAdd("x", number))).toEqual([undefined, 7, 7]);
});
