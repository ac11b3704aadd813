import { expect, test } from "bun:test";
import { confirmationOf, isConfirmed } from "./form";

const id = "key_1";

test.each([
  ["search service", "search service", " search  service "],
  [" spaced ", "spaced", "spaced"],
  ["a\nb", "a b", "a b"],
  ["a\u0000\u200bb", "a b", "a b"],
  ["\n", id, id],
])("a key named %j is revoked by typing %j", (name, shown, typed) => {
  expect(confirmationOf({ name, id })).toBe(shown);
  expect(isConfirmed(typed, { name, id })).toBe(true);
  expect(isConfirmed("", { name, id })).toBe(false);
  expect(isConfirmed(`${typed}x`, { name, id })).toBe(false);
});
