import { expect, test } from "bun:test";
import { problemOf } from "../../tests/db/temporary";
import { assertSampleSchema } from "./schema-check";

test("a valid schema passes, and an invalid one is rejected with the reason", async () => {
  await assertSampleSchema({ properties: { input: { maxLength: 3 } } });
  const error = await problemOf(assertSampleSchema({ type: "strng" }));
  expect([error.kind, error.detail.param]).toEqual(["invalid_request", "schema"]);
  expect(error.message).toStartWith("schema: type must be one of ");
});

test("a schema that takes long to check does not block others", async () => {
  const nested = {
    properties: Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`p${n}`, { minLength: n }])),
  };
  let turns = 0;
  const ticker = setInterval(() => {
    turns += 1;
  }, 1);
  const startedMs = performance.now();
  await assertSampleSchema(nested);
  clearInterval(ticker);
  expect(turns).toBeGreaterThan((performance.now() - startedMs) / 100);
});
