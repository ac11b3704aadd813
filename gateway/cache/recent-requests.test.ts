import { expect, test } from "bun:test";
import { cacheKey } from "./key";
import { createRecentRequests, showParts } from "./recent-requests";

test("the oldest request is forgotten first; an id that comes again keeps its place and has its newest key", () => {
  const recent = createRecentRequests(3);
  for (const id of ["a", "b", "c", "b"]) recent.add(id, "n", cacheKey("n", { id }));
  recent.add("b", "n", cacheKey("n", { id: "other" }));
  recent.add("d", "n", cacheKey("n", { id: "d" }));
  expect(["a", "b", "c", "d"].map((id) => recent.get(id) !== undefined)).toEqual([false, true, true, true]);
  expect(recent.get("b")?.parts.get("id")).toBe('"other"');
});

test("texts of people and long values are shown as hashes, which differ when the texts do", () => {
  const shown = (prompt: string) => showParts(cacheKey("n", { model: "m", prompt, stop: "x".repeat(100) }));
  expect(shown("hi").get("model")).toBe('"m"');
  expect(shown("hi").get("prompt")).toMatch(/^hash:/);
  expect(shown("hi").get("stop")).toMatch(/^hash:/);
  expect(shown("hi").get("prompt")).not.toBe(shown("ho").get("prompt"));
});
