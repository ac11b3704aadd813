import { expect, test } from "bun:test";
import { join } from "node:path";
import { findGroups } from "./groups";

test("the static checks run first", async () => {
  const [first] = await findGroups(join(import.meta.dir, "../.."));
  expect(first).toMatchObject({ name: "static", files: ["tests/architecture.test.ts", "tests/static.test.ts"] });
});
