import { expect, test } from "bun:test";
import { firstIndex } from "./first-index";

test("the first index that passes is found, whatever the length and its position", () => {
  for (let length = 0; length <= 9; length++)
    for (let first = 0; first <= length; first++) expect(firstIndex(length, (index) => index >= first)).toBe(first);
});
