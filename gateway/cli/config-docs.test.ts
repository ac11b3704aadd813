import { expect, test } from "bun:test";
import { basename } from "node:path";
import { configDocs } from "./config-docs";

for (const { path, current, updated } of await configDocs()) {
  test(`${basename(path)} shows the settings that the code reads (\`bun run config --docs\` updates it)`, () => {
    expect(current).toBe(updated);
  });
}
