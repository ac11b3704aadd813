import { expect, test } from "bun:test";
import { readEnvExample, readReadme, renderEnvExample, withSettingsTable } from "./config-docs";

test(".env.example shows the settings that the code reads; `bun run config --docs` writes it", async () => {
  expect(await readEnvExample()).toBe(renderEnvExample());
});

test("the README's table shows the settings that the code reads; `bun run config --docs` writes it", async () => {
  const readme = await readReadme();
  expect(withSettingsTable(readme)).toBe(readme);
});
