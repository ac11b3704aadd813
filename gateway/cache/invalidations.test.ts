import { expect, test } from "bun:test";
import { createInvalidations } from "./invalidations";

const TARGETS = ["v2-1", "model:m", "namespace:key_a"];

test.each<[name: string, before: string[], during: string[], isInvalidated: boolean]>([
  ["nothing", [], [], false],
  ["its key", [], ["v2-1"], true],
  ["a tag", [], ["model:m"], true],
  ["its namespace", [], ["namespace:key_a"], true],
  ["its tag among others", [], ["model:n", "model:m", "model:o"], true],
  ["another key", [], ["v2-2"], false],
  ["another tag", [], ["model:m2", "model:", "index:m"], false],
  ["another namespace", [], ["namespace:key_b"], false],
  ["a tag before it started", ["model:m"], [], false],
  ["another tag, and its own before it started", ["model:m"], ["model:n"], false],
  ["a tag again", ["model:m"], ["model:m"], true],
])("invalidating %s", (_, before, during, isInvalidated) => {
  const invalidations = createInvalidations();
  for (const target of before) invalidations.add(target);
  const check = invalidations.watch(TARGETS);
  for (const target of during) invalidations.add(target);
  expect(check()).toBe(isInvalidated);
});

test("beyond the limit, answers in progress count as invalidated, and later ones do not", () => {
  const invalidations = createInvalidations(2);
  const check = invalidations.watch(TARGETS);
  for (const target of ["model:n", "model:o", "model:n"]) invalidations.add(target);
  expect(check()).toBe(false);
  invalidations.add("model:p");
  expect(check()).toBe(true);
  expect(invalidations.watch(TARGETS)()).toBe(false);
});
