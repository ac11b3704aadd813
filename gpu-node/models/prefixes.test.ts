import { expect, test } from "bun:test";
import { withPrefixes } from "./catalogue";

const E5 = { query: "query: ", document: "passage: " };

test("a model without prefixes keeps its revision", () => {
  expect(withPrefixes("abc", {})).toEqual({ revision: "abc" });
});

test("every change of a prefix changes the revision", () => {
  const settings = [{}, { queryPrefix: "passage: " }, { documentPrefix: "query: " }, { queryPrefix: "query:" }];
  const known = settings.map((setting) => withPrefixes("abc", setting, E5));
  expect(known.map(({ prefixes }) => prefixes)).toEqual([
    E5,
    { query: "passage: ", document: "passage: " },
    { query: "query: ", document: "query: " },
    { query: "query:", document: "passage: " },
  ]);
  const revisions = [...known.map(({ revision }) => revision), withPrefixes("abd", {}, E5).revision, "abc"];
  expect(new Set(revisions).size).toBe(revisions.length);
});

test("the settings add prefixes to a model that the catalogue does not know", () => {
  expect(withPrefixes("abc", { queryPrefix: "search: " }).prefixes).toEqual({ query: "search: ", document: "" });
});
