import { expect, test } from "bun:test";
import { createInvalidations } from "./flights";

const TARGETS = ["v2-1", "model:m", "namespace:key_a"];

test.each<[name: string, before: string[], during: string[], isInvalidated: boolean]>([
  ["is valid if nothing is invalidated", [], [], false],
  ["is invalidated by its key", [], ["v2-1"], true],
  ["is invalidated by its tag", [], ["model:m"], true],
  ["is invalidated by its namespace", [], ["namespace:key_a"], true],
  ["is invalidated by its tag, among others", [], ["model:n", "model:m", "model:o"], true],
  ["is not invalidated by another key", [], ["v2-2"], false],
  ["is not invalidated by another tag", [], ["model:m2", "model:", "index:m"], false],
  ["is not invalidated by another namespace", [], ["namespace:key_b"], false],
  ["is not invalidated by its tag before it started", ["model:m"], [], false],
  ["is not invalidated by another tag, after its own before it started", ["model:m"], ["model:n"], false],
  ["is invalidated by its tag, after the same tag before it started", ["model:m"], ["model:m"], true],
])("an answer in progress %s", (_, before, during, isInvalidated) => {
  const invalidations = createInvalidations();
  for (const target of before) invalidations.add(target);
  const check = invalidations.watch(TARGETS);
  for (const target of during) invalidations.add(target);
  expect(check()).toBe(isInvalidated);
});

test("when too many targets are remembered, answers in progress count as invalidated, and later answers do not", () => {
  const invalidations = createInvalidations(2);
  const check = invalidations.watch(TARGETS);
  for (const target of ["model:n", "model:o", "model:n"]) invalidations.add(target);
  expect(check()).toBe(false);
  invalidations.add("model:p");
  expect(check()).toBe(true);
  expect(invalidations.watch(TARGETS)()).toBe(false);
});
