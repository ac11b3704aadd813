import { expect, test } from "bun:test";
import { cacheKey } from "./key";
import { createRecentRequests, showParts } from "./recent-requests";

test("the oldest request is dropped first, and the newest of two with the same id is returned", () => {
  const recent = createRecentRequests(3);
  for (const id of ["a", "b", "c"]) recent.add(id, "n", cacheKey("n", { id }));
  recent.add("b", "n", cacheKey("n", { id: "other" }));
  expect(["a", "b", "c", "d"].map((id) => recent.get(id) !== undefined)).toEqual([false, true, true, false]);
  expect(recent.get("b")?.parts).toBe('{"id":"other"}');
});

test("user texts and long values are shown as hashes, which differ if the texts do", () => {
  const shown = (prompt: string) => JSON.parse(showParts(cacheKey("n", { model: "m", prompt, stop: "x".repeat(100) })));
  const hash = expect.stringMatching(/^hash:[0-9a-f]{16}$/);
  expect(shown("hi")).toEqual({ model: "m", prompt: hash, stop: hash });
  expect(shown("hi").prompt).not.toBe(shown("ho").prompt);
});
