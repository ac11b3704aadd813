import { expect, test } from "bun:test";
import { branchTo, newestLeaf, versionsByParent } from "./branches";

/** "q1 a1<q1 a2<q1": messages in creation order, each with its parent. */
const tree = (text: string) =>
  text.split(" ").map((word) => {
    const [id = "", parentId = null] = word.split("<");
    return { id, parentId };
  });
const ROWS = tree("q1 a1<q1 q2<a1 a2<q2 a3<q1 q3 a4<q3");

test.each([
  ["a2", "q1 a1 q2 a2"],
  ["a3", "q1 a3"],
  ["q2", "q1 a1 q2"],
  ["a4", "q3 a4"],
  [null, "q3 a4"],
  ["deleted", "q3 a4"],
])("the branch to %p is %p", (leaf, branch) => {
  expect(
    branchTo(ROWS, leaf)
      .map(({ id }) => id)
      .join(" "),
  ).toBe(branch);
});

test.each([
  ["a1", "a2"],
  ["q1", "a3"],
  ["a3", "a3"],
  [null, "a4"],
])("the newest branch below %p ends with %p", (from, leaf) => {
  expect(newestLeaf(ROWS, from)).toBe(leaf);
});

test("an empty conversation has no branch", () => {
  expect([branchTo([], null), newestLeaf([], null)]).toEqual([[], null]);
});

test("messages with the same parent are versions, oldest first", () => {
  const versions = versionsByParent(ROWS);
  expect([versions.get(null), versions.get("q1"), versions.get("a1")]).toEqual([["q1", "q3"], ["a1", "a3"], ["q2"]]);
});
