import { expect, test } from "bun:test";
import { problemOf } from "../../tests/db/temporary";
import { assertSampleSchema } from "./schema-check";

test("a schema that can be used passes, and one that can't is refused by what is wrong with it", async () => {
  await assertSampleSchema({ properties: { input: { maxLength: 3 } } });
  const error = await problemOf(assertSampleSchema({ type: "strng" }));
  expect([error.kind, error.detail.param]).toEqual(["invalid_request", "schema"]);
  expect(error.message).toContain("must be equal to one of the allowed values");
});

test("a schema that takes long to check holds nobody up", async () => {
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
